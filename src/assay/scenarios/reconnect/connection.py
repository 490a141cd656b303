"""The main process loses its connections to a broker that lives on: it must come back, and nothing may be lost."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from assay.brokers import speaks_amqp
from assay.celery_findings import PAGE, SUPERVISOR
from assay.checkers import Attempts, Delivery, Evidence, Liveness, Routing, TimeLimit
from assay.connections import How
from assay.event import Point
from assay.gate import Waiting
from assay.scaling import Scaling, Target, countdowns, long_countdowns, silences
from assay.scenario import always, scenario
from assay.scenarios.routing.queues import other_queues
from assay.scenarios.time_limits.limits import FOR_EVER
from assay.script import Act
from assay.stage import Stage
from assay.worker import Worker

Scene = Callable[[Stage], None]

WITHIN_S = 10.0  # of a fresh task's publication: Celery waits two seconds before its second try to connect
WAIT_S = 5.0  # more than a busy machine needs to break a connection
WATCHED_S = 2.0
LIMIT_S = 1.0
LOOKS_FOR_SILENCE = (5, 7)  # the release of kombu from which on a worker asks a silent Redis whether it is there
FRESH_S = 600.0
KEEPALIVE = (
    'in broker_transport_options set "socket_keepalive": True and "socket_keepalive_options": {socket.TCP_KEEPIDLE: 30,'
    " socket.TCP_KEEPINTVL: 10, socket.TCP_KEEPCNT: 3, socket.TCP_USER_TIMEOUT: 60_000}"
)
HEARTBEAT = "leave broker_heartbeat on"
PIDBOX = "set control_queue_exclusive=False and control_queue_durable=True, or the worker may end with RESOURCE_LOCKED"
#: what `celery worker` has without a flag: each of the three has connections and state of its own
DEFAULT_FLAGS = {"without_mingle": False, "without_gossip": False, "without_heartbeat": False}


def long_wait(target: Target) -> Scaling:
    """A countdown is long enough for the connections to be broken meanwhile."""
    said = f"in the scenarios about a task that waits for its time each countdown is {WAIT_S:g} s at least"
    return long_countdowns(target, WAIT_S, said)


@dataclass
class InFlight:
    """What the worker knows when the fault lands. What runs is given back, and runs again where it is acked late."""

    runs: str = ""
    waits: str = ""
    held: Waiting | None = None

    @property
    def ids(self) -> list[str]:
        return [each for each in (self.runs, self.waits) if each]


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


def eta(stage: Stage) -> InFlight:
    waits = stage.publish(countdown=WAIT_S)
    stage.delivered(waits)
    return InFlight(waits=waits)


def comes_back(
    fault: Callable[[Stage, Worker, str], None],
    situation: Callable[[Stage], InFlight],
    remedy: Callable[[Target], str] = lambda target: SUPERVISOR,
    *,
    afterwards: bool = False,
) -> Scene:
    """A worker that has something in flight, or nothing, loses its connections by the fault: it must come back.

    `afterwards`: and enforce limits, and consume its own queues alone, as before.
    """

    def act(stage: Stage) -> None:
        given = stage.subject.setting("broker_connection_retry")
        leaves = given is not None and given.value is False
        stage.claims(
            "broker_connection_retry" if leaves else "reconnecting",
            "a worker that loses its connection comes back by itself, and loses no task by it",
            "leave broker_connection_retry at True" if leaves else remedy(stage.target),
        )
        others = other_queues(stage.target) if afterwards and stage.task.queue else []
        worker = stage.worker(concurrency=1, options=DEFAULT_FLAGS, queues=[stage.task.queue] if others else None)
        work = situation(stage)
        began = time.monotonic()
        fault(stage, worker, next(iter(work.ids), ""))
        within_s = WITHIN_S + time.monotonic() - began  # the longer it was away, the longer Celery waits between tries
        options: dict[str, Any] = {"expires": FRESH_S} if stage.task.expires else {}
        fresh = stage.publish_many(3, **options)
        stage.cluster.wait_noticed(worker)  # or it were chance which of the two main hears of first
        if work.held:
            work.held.release()

        def gone() -> bool:
            worker.exited()
            return not worker.alive()

        settled = stage.settle(within_s + 1.0, enough=gone)  # nothing for so long: what is still open is too late
        if not settled and gone():  # started again, as systemd or Kubernetes would
            stage.replacement()
            stage.settle()
        elif settled and not stage.cluster.wait(gone, timeout_s=WATCHED_S):  # it may come back, and end or go deaf then
            fresh += stage.publish_many(1, **options)
            if afterwards:
                as_before(stage, others, options)
            stage.settle(enough=gone)
        stage.check(
            Liveness(ids=fresh, within_s=within_s, deaf_for=deaf_for(stage.target) if fault is swallows else ""),
            Delivery(contract="effectively_once", ids=fresh),
            Evidence(in_flight=bool(work.ids)),
        )
        if work.ids:
            stage.check(Delivery(contract="at_least_once", ids=work.ids))
        if work.runs:
            # a RabbitMQ that is killed may not have written down yet what was acknowledged a moment before
            doubt = fault is restarts and stage.cluster.broker.name == "rabbitmq"
            stage.check(Attempts(ids=[work.runs], most=2 if stage.task.acks_late or doubt else 1))
        if work.waits:
            stage.check(Attempts(ids=[work.waits], most=1))

    return act


def as_before(stage: Stage, others: Sequence[str], options: dict[str, Any]) -> None:
    """Another message for each of the worker's duties: one on a queue that is not its own, and one that is too slow."""
    if others:
        stage.publish(queue=others[0], **options)
        for _ in range(2):  # kombu asks for the queues in turn: by now a worker that asks for that one too has taken it
            own = stage.publish(**options)
            stage.cluster.wait(partial(stage.starts, own), timeout_s=WITHIN_S)
        stage.worker(concurrency=1, queues=others)
        stage.check(Routing(consumers={"w1": [stage.task.queue], "w2": list(others)}))
    limited = options | {"soft_time_limit": LIMIT_S / 2, "time_limit": LIMIT_S}
    slow = stage.publish(Act(work_s=FOR_EVER, ignores_soft=True), Act(), **limited)
    stage.check(TimeLimit(ids=[slow], soft_s=LIMIT_S / 2, hard_s=LIMIT_S))


def reserves(target: Target) -> bool:
    """Whether a worker takes a message while its only slot is busy with this task."""
    subject = target.subject
    if subject.disable_prefetch and target.on_redis:
        return False
    return not target.task.acks_late or subject.prefetch_multiplier != 1


def waits(target: Target) -> bool:
    """Whether a worker has the task while it waits for its time, and it is still to be done then."""
    return target.waits_in_worker and (not target.task.expires or target.task.expires > WAIT_S + WITHIN_S)


class Situation(NamedTuple):
    """`words` go into the scenario's line."""

    begin: Callable[[Stage], InFlight]
    words: str
    when: Callable[[Target], bool] = always
    scale: Callable[[Target], Scaling] = countdowns


def severable(when: Callable[[Target], bool]) -> Callable[[Target], bool]:
    return lambda target: target.severable and when(target)


def breaks(how: How) -> Callable[[Stage, Worker, str], None]:
    return lambda stage, worker, invocation: stage.cluster.break_connections(worker, how, invocation)


def swallows(stage: Stage, worker: Worker, invocation: str) -> None:
    stage.cluster.swallow(worker, invocation)


def restarts(stage: Stage, worker: Worker, invocation: str) -> None:
    stage.cluster.restart_broker(invocation)


def hears(target: Target) -> str:
    """What a worker lacks that takes a dead connection for a quiet one. From 5.7 on its pidbox is exclusive."""
    if not speaks_amqp(target.broker):
        return KEEPALIVE
    return f"{HEARTBEAT}; {PIDBOX}" if target.subject.celery >= (5, 7) else HEARTBEAT


def outlives(target: Target) -> str:
    """What a worker lacks that gives up with what it has unacknowledged (kombu/asynchronous/hub.py, Hub.close)."""
    if target.on_redis and target.task.acks_late and target.subject.prefetch_multiplier != 1:
        return f"set worker_prefetch_multiplier=1, with which it was not seen; or {SUPERVISOR}"
    return SUPERVISOR


def deaf_for(target: Target) -> str:
    """How long a worker stays so that a Redis no longer reaches. Source: kombu/transport/redis.py, see PAGE."""
    if not target.on_redis:
        return ""
    if target.subject.release("kombu") < LOOKS_FOR_SILENCE:
        return f"for ever, before kombu {'.'.join(map(str, LOOKS_FOR_SILENCE))} ({PAGE})"
    return f"for about a quarter of an hour, until Linux gives the connection up: tcp_retries2 ({PAGE})"


SITUATIONS = {
    "idle": Situation(idle, "of an idle worker"),
    "while_it_runs": Situation(running, "while a body runs, which is then let go"),
    "while_it_is_reserved": Situation(
        reserved, "while a task is reserved behind one that runs: it runs once", when=reserves
    ),
    "while_it_waits": Situation(eta, "while a task waits in the worker for its time: it runs once", waits, long_wait),
}
OUTAGES = {"idle": "while the worker idles", "while_it_runs": "while a body runs, which is then let go"}
HOWS: dict[How, str] = {"cut": "closed", "reset": "aborted"}
for how, what in HOWS.items():
    for name, situation in SITUATIONS.items():
        scenario(
            "reconnect",
            name=f"{how}_{name}",
            fault=f"connection {how}",
            doc=f"All connections of main to the broker are {what} {situation.words}; the next tasks run soon.",
            when=severable(situation.when),
            scale=situation.scale,
            weight_s=6.0,
        )(comes_back(breaks(how), situation.begin, afterwards=name == "idle"))
for name in ("idle", "while_it_runs"):
    scenario(
        "reconnect",
        name=f"black_hole_{name}",
        fault="black hole",
        doc=f"Nothing arrives any more on main's connections {OUTAGES[name]}; the next tasks run soon.",
        when=severable(lambda target: target.own_broker),
        scale=silences,
        weight_s=8.0,
    )(comes_back(swallows, SITUATIONS[name].begin, hears))
#: what was in a Redis is gone with it, so nothing is demanded of what only waited
for name in ("idle", "while_it_runs"):
    scenario(
        "reconnect",
        name=f"broker_restarted_{name}",
        fault="broker restarted",
        doc=f"The broker is killed and comes back {OUTAGES[name]}; the next tasks run soon.",
        when=SITUATIONS[name].when,
        scale=SITUATIONS[name].scale,
        weight_s=7.0,
        own_broker=True,
    )(comes_back(restarts, SITUATIONS[name].begin, outlives, afterwards=name == "idle"))
