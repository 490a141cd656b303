"""The visibility timeout of a Redis broker, against how long a message may stay unacknowledged though nobody dies.

No time is waited for: the kombu clock of a second worker is ahead by it. A worker looks for messages to give back at
its start, and then every `unacked_restore_interval` x `unacked_restore_throttle` seconds, by its own clock and its own
`visibility_timeout` (kombu/transport/redis.py, QoS.restore_visible).
"""

import time

from assay.checkers import Attempts, Delivery
from assay.event import Kind, Point
from assay.scaling import Target, running_s, waiting_s
from assay.scenario import scenario
from assay.stage import Stage

START_S = 5.0


def runs_bounded(target: Target) -> bool:
    return target.on_redis and running_s(target.task) > 0


def claim(stage: Stage, running: float, waiting: float) -> None:
    parts = [f"{running:g} s of running"] * bool(running) + [f"{waiting:g} s of waiting for a retry"] * bool(waiting)
    stage.claims(
        "broker_transport_options",
        f"visibility_timeout of {stage.subject.visibility_timeout:g} s is longer than a message of the task may stay "
        f"unacknowledged: {' and '.join(parts)}",
        f"set visibility_timeout in broker_transport_options to more than {running + waiting:g} s, "
        "in every process that uses this broker",
    )
    if not stage.subject.place(stage.setting):
        stage.place = stage.task.place


def second_worker(stage: Stage, invocation: str, ahead_s: float) -> int:
    """A worker that starts `ahead_s` after the delivery; how many messages it has given back at its start.

    What has passed since, and what a start may take, is not added: near the border a slow machine decided otherwise.
    """
    received = stage.delivered(invocation)
    passed_s = (time.monotonic_ns() - received.at_ns) / 1e9 + min(START_S, ahead_s / 10)
    worker = stage.worker(concurrency=1, clock_offset_s=ahead_s - passed_s)
    swept = stage.cluster.wait_event(
        lambda event: event.kind == Kind.SWEPT and event.worker == worker.name,
        what=f"{worker.name} looking for messages past their visibility timeout",
    )
    return int(swept.detail["restored"])


@scenario("acks_late", fault="none", when=runs_bounded, weight_s=2.0)
def second_worker_while_it_runs(stage: Stage) -> None:
    """A worker starts while a task runs as long as its limit allows, after its longest wait: it runs once."""
    running, waiting = running_s(stage.task), waiting_s(stage.task)
    claim(stage, running, waiting)
    stage.worker(concurrency=1)
    invocation = stage.publish(hold=Point.BODY_MIDDLE)
    standing = stage.hold(invocation, Point.BODY_MIDDLE)
    if second_worker(stage, invocation, running + waiting):
        stage.cluster.wait(lambda: stage.starts(invocation) > 1, timeout_s=10.0)
    standing.release()
    stage.settle()
    stage.check(Attempts(ids=[invocation], most=1), Delivery(contract="effectively_once", ids=[invocation]))
