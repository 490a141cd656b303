"""Each way to lose the connections to a broker, at each moment of a worker's work."""

from collections.abc import Callable

from assay.brokers import speaks_amqp
from assay.celery_findings import SUPERVISOR
from assay.connections import How
from assay.fault import BROKER_KEPT
from assay.scaling import Scaling, Target, at_least, confirmed, countdowns, silences
from assay.scenario import scenario
from assay.scenarios.reconnect.coming_back import Loss, comes_back
from assay.scenarios.reconnect.in_flight import (
    BETWEEN_LINKS,
    IDLE,
    RESERVED,
    RUNNING,
    WAITING,
    WAITING_LONG,
    Situation,
)
from assay.stage import Stage
from assay.worker import Worker

KEEPALIVE = (
    'in broker_transport_options set "socket_keepalive": True and "socket_keepalive_options": {socket.TCP_KEEPIDLE: 30,'
    " socket.TCP_KEEPINTVL: 10, socket.TCP_KEEPCNT: 3, socket.TCP_USER_TIMEOUT: 60_000}"
)
HEARTBEAT = "leave broker_heartbeat on"
PIDBOX = "set control_queue_exclusive=False and control_queue_durable=True, or the worker may end with RESOURCE_LOCKED"


def breaks(how: How) -> Callable[[Stage, Worker, str], None]:
    return lambda stage, worker, invocation: stage.cluster.break_connections(worker, how, invocation)


def swallows(stage: Stage, worker: Worker, invocation: str) -> None:
    stage.cluster.swallow(worker, invocation)


def restarts(stage: Stage, worker: Worker, invocation: str) -> None:
    stage.cluster.restart_broker(invocation)


def restarts_with_data(stage: Stage, worker: Worker, invocation: str) -> None:
    stage.cluster.restart_broker_with_data(worker, invocation)


def hears(target: Target) -> str:
    """What a worker lacks that takes a dead connection for a quiet one. From 5.7 on its pidbox is exclusive."""
    if not speaks_amqp(target.broker):
        return KEEPALIVE
    return f"{HEARTBEAT}; {PIDBOX}" if target.subject.celery >= (5, 7) else HEARTBEAT


def outlives(target: Target) -> str:
    """What a worker lacks that gives up with what it has unacknowledged while it asks for more.

    Source: celery/worker/consumer/consumer.py, on_connection_error_after_connected; what waits for its time makes it
    ask for more, whatever its prefetch is.
    """
    if target.on_redis and target.task.acks_late and target.subject.prefetch_multiplier != 1:
        return f"set worker_prefetch_multiplier=1, with which it was not seen; or {SUPERVISOR}"
    return SUPERVISOR


def supervised(target: Target) -> str:
    return SUPERVISOR


def severable(when: Callable[[Target], bool]) -> Callable[[Target], bool]:
    return lambda target: target.severable and when(target)


def scaled(situation: Situation, base: Callable[[Target], Scaling] = countdowns) -> Callable[[Target], Scaling]:
    """Where a task waits for its time, its countdown is long enough for the connections to be broken meanwhile."""
    if not situation.wait_s:
        return base
    least_s = situation.wait_s
    silent = " and nothing arrives any more" if base is silences else ""
    said = f"in the scenarios about a task that waits for its time{silent} each countdown is {least_s:g} s at least"
    return lambda target: at_least(base(target), least_s, said)


def keeps(situation: Situation) -> Callable[[Target], bool]:
    """A RabbitMQ has its data after any restart: what runs meanwhile is in broker_restarted_while_it_runs."""

    def when(target: Target) -> bool:
        told = situation is RUNNING and speaks_amqp(target.broker)
        return target.keeps_data and not told and situation.when(target)

    return severable(when)


SITUATIONS = {
    "idle": IDLE,
    "while_it_runs": RUNNING,
    "while_it_is_reserved": RESERVED,
    "while_it_waits": WAITING,
    "between_links": BETWEEN_LINKS,
}
OUTAGES = {"idle": "while the worker idles", "while_it_runs": RUNNING.words}
HOWS: dict[How, str] = {"cut": "closed", "reset": "aborted"}
for how, what in HOWS.items():
    for name, situation in SITUATIONS.items():
        scenario(
            "reconnect",
            name=f"{how}_{name}",
            fault=f"connection {how}",
            doc=f"All connections of main to the broker are {what} {situation.words}; the next tasks run soon.",
            when=severable(situation.when),
            scale=scaled(situation),
            weight_s=6.0,
        )(comes_back(Loss(breaks(how)), situation, afterwards=name == "idle"))
for name, situation in (SITUATIONS | {"while_it_waits": WAITING_LONG}).items():
    words = OUTAGES.get(name, situation.words)
    scenario(
        "reconnect",
        name=f"black_hole_{name}",
        fault="black hole",
        doc=f"Nothing arrives any more on main's connections {words}; the next tasks run soon.",
        when=severable(lambda target, fits=situation.when: target.own_broker and fits(target)),  # type: ignore[misc]
        scale=scaled(situation, silences),
        weight_s=20.0 if name == "while_it_waits" else 8.0,
    )(comes_back(Loss(swallows, hears, silent=True), situation))
#: what was in a Redis is gone with it, so nothing is demanded of what only waited
for name, words in OUTAGES.items():
    situation = SITUATIONS[name]
    scenario(
        "reconnect",
        name=f"broker_restarted_{name}",
        fault="broker restarted",
        doc=f"The broker is killed and comes back {words}; the next tasks run soon.",
        when=situation.when,
        scale=scaled(situation),
        weight_s=7.0,
        own_broker=True,
    )(comes_back(Loss(restarts, outlives, killed=True), situation, afterwards=name == "idle"))


for name, situation in SITUATIONS.items():
    if name != "idle":
        remedy = supervised if situation is WAITING else outlives
        scenario(
            "reconnect",
            name=f"broker_kept_{name}",
            fault=BROKER_KEPT,
            doc=f"The broker is killed and comes back with its data {situation.words}; the next tasks run soon.",
            when=keeps(situation),
            scale=scaled(situation, confirmed),
            weight_s=9.0,
            own_broker=True,
        )(comes_back(Loss(restarts_with_data, remedy, killed=True, kept=True), situation))
