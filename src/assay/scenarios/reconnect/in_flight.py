"""What a worker is at when it loses its connection: nothing, a body, what is reserved or waits, a chain between two."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from assay.canvas import Chain, parts
from assay.event import Point
from assay.gate import Waiting
from assay.scaling import Target
from assay.scenario import always
from assay.scenarios.canvas.composing import chain
from assay.script import Act
from assay.stage import Stage

WITHIN_S = 10.0  # of a fresh task's publication: Celery waits two seconds before its second try to connect
WAIT_S = 5.0  # more than a busy machine needs to break a connection
SILENT_WAIT_S = 15.0  # and for a worker to notice that nothing arrives on it any more


@dataclass
class InFlight:
    """What the worker knows when the fault lands. What runs is given back, and runs again where it is acked late."""

    runs: str = ""
    waits: str = ""
    held: Waiting | None = None
    whole: Chain | None = None  # `runs` is its first link, and `waits` the second one, in its queue or reserved

    @property
    def ids(self) -> list[str]:
        return [each for each in (self.runs, self.waits) if each]

    @property
    def at_stake(self) -> str:
        """What the worker has not begun, or else what it is at."""
        return self.waits or self.runs


class Situation(NamedTuple):
    """`words` go into the scenario's line; `wait_s` is the least that a countdown takes meanwhile, 0: as ever."""

    begin: Callable[[Stage], InFlight]
    words: str
    when: Callable[[Target], bool] = always
    wait_s: float = 0.0


def idle(stage: Stage) -> InFlight:
    return InFlight()


def running(stage: Stage) -> InFlight:
    runs = stage.publish(hold=Point.BODY_MIDDLE)
    held = stage.hold(runs, Point.BODY_MIDDLE)
    stage.acknowledged_early(runs)
    return InFlight(runs, held=held)


def reserved(stage: Stage) -> InFlight:
    found = running(stage)
    found.waits = stage.publish()
    stage.delivered(found.waits)
    return found


def between_links(stage: Stage) -> InFlight:
    """The first link has sent the second one, and has not ended yet."""
    whole = chain(stage, (Act(),), (Act(),), hold=Point.NEXT_SENT, at=0)
    first, second = (each.id for each in parts(whole))
    stage.publish_canvas(whole)
    held = stage.hold(first, Point.NEXT_SENT)
    stage.acknowledged_early(first)
    stage.at_rest()
    return InFlight(first, second, held, whole)


def waiting(wait_s: float) -> Situation:
    """A task that waits for its time, for at least so long."""

    def eta(stage: Stage) -> InFlight:
        waits = stage.publish(countdown=wait_s)
        stage.delivered(waits)
        return InFlight(waits=waits)

    def waits(target: Target) -> bool:
        """Whether a worker has the task while it waits for its time, and it is still to be done then."""
        return target.waits_in_worker and _lasts(target, wait_s)

    return Situation(eta, "while a task waits in the worker for its time: it runs once", waits, wait_s)


def _reserves(target: Target) -> bool:
    """Whether a worker takes a message while its only slot is busy with this task."""
    subject = target.subject
    if subject.disable_prefetch and target.on_redis:
        return False
    return not target.task.acks_late or subject.prefetch_multiplier != 1


def _lasts(target: Target, seconds: float) -> bool:
    """Whether a message of the task is still good then, when a worker that was away for so long comes to it."""
    return not target.task.expires or target.task.expires > seconds + WITHIN_S


IDLE = Situation(idle, "of an idle worker")
RUNNING = Situation(running, "while a body runs, which is then let go")
RESERVED = Situation(reserved, "while a task is reserved behind one that runs: it runs once", _reserves)
WAITING, WAITING_LONG = waiting(WAIT_S), waiting(SILENT_WAIT_S)
BETWEEN_LINKS = Situation(
    between_links,
    "between two links of a chain: the whole completes",
    lambda target: _lasts(target, SILENT_WAIT_S),
)
