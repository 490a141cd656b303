"""A worker loses its connections to the broker, and not its life: it must come back, and nothing may be lost by it."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from assay.brokers import speaks_amqp
from assay.celery_findings import PAGE, SUPERVISOR
from assay.checkers import Attempts, Delivery, Evidence, Liveness, Routing, TimeLimit
from assay.contract import delivery
from assay.landing import NOTICES_S
from assay.scaling import HEARTBEAT_S, Target
from assay.scenarios.canvas.composing import demand_recovery
from assay.scenarios.reconnect.in_flight import WITHIN_S, InFlight, Situation
from assay.scenarios.routing.queues import other_queues
from assay.scenarios.time_limits.limits import FOR_EVER
from assay.script import Act
from assay.stage import Stage
from assay.worker import Worker

WATCHED_S = 2.0
LIMIT_S = 1.0
FRESH_S = 600.0
BEATS = 3  # missed by a RabbitMQ that is not heard any more until its client gives the connection up, and one to spare
LOOKS_FOR_SILENCE = (5, 7)  # the release of kombu from which on a worker asks a silent Redis whether it is there
PROMISE = "a worker that loses its connection comes back by itself, and loses no task by it"
#: what `celery worker` has without a flag: each of the three has connections and state of its own
DEFAULT_FLAGS = {"without_mingle": False, "without_gossip": False, "without_heartbeat": False}


class Loss(NamedTuple):
    """How the connections are lost, by what `strike` does to a worker and an invocation.

    `silent`: nobody tells the worker. `killed`: the broker was; `kept`: it is away while the worker gives back what it
    has, and then has what it had.
    """

    strike: Callable[[Stage, Worker, str], None]
    remedy: Callable[[Target], str] = lambda target: SUPERVISOR
    silent: bool = False
    killed: bool = False
    kept: bool = False


def comes_back(loss: Loss, situation: Situation, *, afterwards: bool = False) -> Callable[[Stage], None]:
    """A worker that has something in flight, or nothing, loses its connections: it must come back.

    `afterwards`: and enforce limits, and consume its own queues alone, as before.
    """

    def act(stage: Stage) -> None:
        _claims(stage, loss)
        others = other_queues(stage.target) if afterwards and stage.task.queue else []
        worker = stage.worker(concurrency=1, options=DEFAULT_FLAGS, queues=[stage.task.queue] if others else None)
        work = situation.begin(stage)
        began = time.monotonic()
        loss.strike(stage, worker, work.at_stake)
        struck = time.monotonic()
        fresh = stage.publish_many(3, **_fresh(stage))
        noticed = stage.cluster.wait_noticed(worker, _notices_s(stage, loss))
        within_s = WITHIN_S + struck - began  # the longer it was away, the longer Celery waits between tries
        if loss.silent and noticed:
            within_s += time.monotonic() - struck
        begun = bool(work.waits and stage.starts(work.waits))
        if work.held:
            work.held.release()  # not before, or it were chance which of the two main hears of first
        fresh += _settled(stage, worker, loss, within_s, (lambda: as_before(stage, others)) if afterwards else None)
        deaf = deaf_for(stage.target) if loss.silent else ""
        stage.check(
            Liveness(ids=fresh, within_s=within_s, deaf_for=deaf),
            Delivery(contract="effectively_once", ids=fresh),
            Evidence(in_flight=bool(work.ids), connected=True),
        )
        # what a worker does that does not know of its loss yet is done again when that is known: nobody hears of it
        _demands(stage, loss, work, unheard=begun or not noticed)

    return act


def _claims(stage: Stage, loss: Loss) -> None:
    given = stage.subject.setting("broker_connection_retry")
    if given is not None and given.value is False:
        stage.claims("broker_connection_retry", PROMISE, "leave broker_connection_retry at True")
    else:
        stage.claims("reconnecting", PROMISE, loss.remedy(stage.target))


def _fresh(stage: Stage) -> dict[str, Any]:
    """Options of what is published after the fault: it may be long until it runs."""
    return {"expires": FRESH_S} if stage.task.expires else {}


def _notices_s(stage: Stage, loss: Loss) -> float:
    """How long the worker may take to give up its connection."""
    silence_s = BEATS * HEARTBEAT_S if loss.silent and speaks_amqp(stage.cluster.broker.name) else 0.0
    return max(NOTICES_S, silence_s)


def _settled(
    stage: Stage, worker: Worker, loss: Loss, within_s: float, afterwards: Callable[[], None] | None
) -> list[str]:
    """Until nothing is open any more, or it is too late; what was published meanwhile.

    A worker that is gone is started again, as systemd or Kubernetes would. What it could not give back, since the
    broker was away, another one takes over after the visibility timeout.
    """
    cluster, fresh = stage.cluster, list[str]()

    def left() -> bool:
        return loss.kept and cluster.ledger.orphaned()

    def enough() -> bool:
        return worker.gone() or left()

    settled = stage.settle(within_s + 1.0, enough=enough)  # nothing for so long: what is still open is too late
    if not settled and worker.gone():
        stage.replacement()
        stage.settle()
    elif (settled or left()) and not cluster.wait(worker.gone, timeout_s=WATCHED_S):  # it may end or go deaf even now
        fresh = stage.publish_many(1, **_fresh(stage))
        if afterwards:
            afterwards()
        stage.settle(enough=enough)
    if left():
        cluster.dismiss(worker)  # it has shown that it goes on: what it takes would be told without the timeout
        stage.replacement()
        stage.settle()
    return fresh


def _demands(stage: Stage, loss: Loss, work: InFlight, *, unheard: bool) -> None:
    """Of what was in flight: it is done, and not more often than whoever has to do it again must."""
    late, cluster = stage.task.acks_late, stage.cluster
    # a RabbitMQ that is killed may not have written down yet what was acknowledged a moment before
    doubt = loss.killed and cluster.broker.name == "rabbitmq"
    if work.whole:
        twice = unheard or (not _deduplicates(stage) if late else doubt)
        due: delivery.Delivery = "at_least_once" if twice else "effectively_once"
        demand_recovery(stage, delivery.Contract(due, stage.setting, stage.promise, stage.remedy), work.whole)
        stage.check(Attempts(ids=work.ids, most=1 + twice + unheard))
        return
    if work.ids:
        stage.check(Delivery(contract="at_least_once", ids=work.ids))
    if work.runs:
        stage.check(Attempts(ids=[work.runs], most=2 if late or doubt else 1))
    if work.waits:
        stage.check(Attempts(ids=[work.waits], most=1 + unheard))


def _deduplicates(stage: Stage) -> bool:
    """Whether what comes back is skipped where its SUCCESS is stored. Source: celery/app/trace.py, build_tracer."""
    return stage.subject.deduplicates and stage.target.stores_results and stage.subject.result_backend != "rpc"


def deaf_for(target: Target) -> str:
    """How long a worker stays so that a Redis no longer reaches. Source: kombu/transport/redis.py, see PAGE."""
    if not target.on_redis:
        return ""
    if target.subject.release("kombu") < LOOKS_FOR_SILENCE:
        return f"for ever, before kombu {'.'.join(map(str, LOOKS_FOR_SILENCE))} ({PAGE})"
    return f"for about a quarter of an hour, until Linux gives the connection up: tcp_retries2 ({PAGE})"


def as_before(stage: Stage, others: Sequence[str]) -> None:
    """Another message for each of the worker's duties: one on a queue that is not its own, and one that is too slow."""
    options = _fresh(stage)
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
