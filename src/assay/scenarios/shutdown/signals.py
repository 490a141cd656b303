"""The signals that stop a worker, with work of every kind in it: running, reserved, and waiting for its time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from signal import SIGINT, SIGQUIT, SIGTERM, Signals

from assay.checkers import Attempts, Delivery, Evidence, Ledgers, Leftovers, Shutdown
from assay.event import Point
from assay.gate import Waiting
from assay.scaling import Scaling, Target, long_countdowns, shutdowns
from assay.scenario import EVERY_POOL, scenario, sigterm_is_warm
from assay.scenarios.shutdown.under_way import left_loop, under_way
from assay.script import Act
from assay.stage import Stage
from assay.worker import Worker

WAIT_S = 2.0
SLOW_S = 60.0


def waits(target: Target) -> Scaling:
    said = f"in suite shutdown each countdown is {WAIT_S:g} s at least"
    return long_countdowns(target, WAIT_S, said)


def quits(target: Target) -> Scaling:
    """Both that and a short grace of a soft shutdown."""
    return shutdowns(target, waits(target))


@dataclass
class Load:
    """What one worker with two slots has: a body that stands at a crash point, one that goes on, and what waits."""

    worker: Worker
    stands: str = ""
    goes: str = ""
    waits: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)  # published when it had been told to stop
    held: list[Waiting] = field(default_factory=list)

    @property
    def running(self) -> list[str]:
        return [each for each in (self.stands, self.goes) if each]

    @property
    def ids(self) -> list[str]:
        return [*self.running, *self.waits]

    def release(self) -> None:
        for held in self.held:
            held.release()


def loaded(stage: Stage, *, slow: bool) -> Load:
    """A worker with all of it. `slow`: the body that goes on is in the midst of long work, else it is let go later."""
    load = Load(stage.worker(concurrency=2))
    if not stage.task.expires or stage.task.expires > WAIT_S + 10.0:
        load.waits = [stage.publish(countdown=WAIT_S)]  # first, or no slot of the prefetch may be left for it
        stage.delivered(load.waits[0])
    load.stands = stage.publish(hold=Point.BODY_MIDDLE)
    load.held.append(stage.hold(load.stands, Point.BODY_MIDDLE))
    if stage.target.pool != "solo":
        load.goes = stage.publish(Act(work_s=SLOW_S if slow else 0.0), Act(), hold=Point.BODY_ENTER)
        going = stage.hold(load.goes, Point.BODY_ENTER)
        if slow:
            going.release()
        else:
            load.held.append(going)
    for each in load.running:
        under_way(stage, each)
    load.waits += stage.publish_many(3)
    stage.at_rest()
    return load


def _send(stage: Stage, load: Load, sent: Sequence[Signals], *, group: bool) -> None:
    """One after the other, each when the worker has done what it does at once for the one before."""
    for number in sent:
        stage.cluster.signal_worker(load.worker, number, load.stands, group=group)
        if stage.target.pool != "solo":  # which leaves its loop when the body is over
            left_loop(stage, load.worker)


def warm(stage: Stage, *sent: Signals, group: bool = False, status: int | None = None) -> None:
    stage.claims("warm shutdown", "what runs is finished, what waits goes to the next worker, nothing new is begun")
    load = loaded(stage, slow=False)
    stage.cluster.watch_descendants(load.worker.pid)
    _send(stage, load, sent, group=group)
    if stage.target.pool != "solo":
        load.late = stage.publish_many(2)
    load.release()
    stage.wait_stopped(load.worker)
    stage.take_over()
    ids = [*load.ids, *load.late]
    stage.check(
        Delivery(contract="effectively_once", ids=ids),
        Attempts(ids=ids, most=1),
        Shutdown(status=status),
        Leftovers(messages=False),
        Evidence(landed=len(sent)),
    )


def cold(stage: Stage, *sent: Signals) -> None:
    """The worker gives up what runs: to the whole group, as from a terminal or a service manager."""
    _interrupting(stage, sent, "cold shutdown", child_lost=False, waits=False)


def _interrupting(stage: Stage, sent: Sequence[Signals], how: str, *, child_lost: bool, waits: bool) -> None:
    contract = stage.contract(child_lost=child_lost)
    if contract.delivery == "any":
        stage.claims(how, "the worker ends at once, what it had not begun goes to the next one")
    load = loaded(stage, slow=True)
    stage.cluster.watch_descendants(load.worker.pid)
    _send(stage, load, sent, group=True)
    stage.wait_stopped(load.worker)
    load.release()
    stage.take_over()
    stage.check(
        Delivery(contract=contract.delivery, ids=load.running),
        Delivery(contract="at_least_once", ids=load.waits),
        Attempts(ids=load.ids, most=2),
        Shutdown(waits=waits),
        Leftovers(messages=False),
        Evidence(landed=len(sent)),
    )
    if contract.completes:
        stage.check(Ledgers(ids=load.ids))


@scenario("shutdown", fault="SIGTERM", when=sigterm_is_warm, pools=EVERY_POOL, scale=waits, weight_s=5.0)
def terminated(stage: Stage) -> None:
    """SIGTERM: what runs ends, what is reserved or waits for its time runs elsewhere, nothing new is begun."""
    warm(stage, SIGTERM, status=0)


@scenario("shutdown", fault="SIGTERM twice", when=sigterm_is_warm, pools=EVERY_POOL, scale=waits, weight_s=5.0)
def terminated_twice(stage: Stage) -> None:
    """A second SIGTERM while the body still runs changes nothing."""
    warm(stage, SIGTERM, SIGTERM, status=0)


@scenario("shutdown", fault="SIGINT group", pools=EVERY_POOL, scale=waits, weight_s=5.0)
def interrupted(stage: Stage) -> None:
    """Ctrl+C once, which every process of the worker gets: what runs ends, as by SIGTERM."""
    warm(stage, SIGINT, group=True)


@scenario("shutdown", fault="SIGINT group twice", scale=quits, weight_s=5.0)
def interrupted_twice(stage: Stage) -> None:
    """Ctrl+C twice: what runs is given up and goes to the next worker, with what waits."""
    cold(stage, SIGINT, SIGINT)


@scenario("shutdown", fault="SIGTERM group", scale=waits, weight_s=5.0)
def group_terminated(stage: Stage) -> None:
    """SIGTERM to main and children at once, as systemd sends it: what runs is interrupted, what waits is not hurt."""
    _interrupting(stage, [SIGTERM], "warm shutdown", child_lost=True, waits=True)


@scenario("shutdown", fault="SIGQUIT group", scale=quits, weight_s=5.0)
def group_quit(stage: Stage) -> None:
    """SIGQUIT to main and children at once."""
    cold(stage, SIGQUIT)


@scenario("shutdown", fault="SIGTERM, then SIGKILL main", scale=waits, weight_s=4.0)
def main_killed_in_shutdown(stage: Stage) -> None:
    """SIGTERM, then SIGKILL to main alone while bodies run: no child outlives it and goes on with its body."""
    contract = stage.contract(child_lost=False)
    load = loaded(stage, slow=True)
    stage.cluster.watch_descendants(load.worker.pid)
    stage.signal(load.worker, SIGTERM, load.stands)
    stage.cluster.kill_worker(load.worker, load.held[0])
    stage.replacement()
    stage.settle()
    stage.check(
        Delivery(contract=contract.delivery, ids=load.running),
        Delivery(contract="at_least_once", ids=load.waits),
        Attempts(ids=load.ids, most=2),
        Shutdown(),
        Leftovers(messages=False),
        Evidence(landed=2),
    )
    if contract.completes:
        stage.check(Ledgers(ids=load.ids))
