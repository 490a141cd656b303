"""How soon a lost attempt is followed by the next, where the task's contract says how soon it must be."""

import time

from assay.checkers import Delivery, Evidence, Recovery
from assay.contract.delivery import redelivery
from assay.event import Point
from assay.scaling import POOL_CHECK_S, Target, longest_delay
from assay.scenario import EVERY_POOL, scenario
from assay.stage import Stage


def bounded(target: Target) -> bool:
    return target.task.contract.recovery_s is not None


def claim(stage: Stage, remedy: str) -> float:
    within_s = stage.task.contract.recovery_s or 0.0
    stage.requires("recovery_s", f"a lost attempt is followed by the next within {within_s:g} s", remedy)
    return within_s


@scenario("acks_late", fault="SIGKILL child", when=bounded, weight_s=5.0)
def recovers_in_time(stage: Stage) -> None:
    """A child is killed in the middle of the body: the next attempt begins as soon as the task's contract says."""
    task = stage.task
    waits = (
        f"make its retry delay, {longest_delay(task):g} s, shorter: a task that is retried for a lost worker waits it"
        if task.retry_on_worker_lost
        else "let a worker with a free slot be there"
    )
    within_s = claim(stage, redelivery(task, stage.subject) or waits)
    stage.worker()
    invocation = stage.publish(hold=Point.BODY_MIDDLE)
    stage.kill_child_at(invocation, Point.BODY_MIDDLE)
    stage.settle()
    stage.check(
        Delivery(contract="at_least_once", ids=[invocation]),
        Recovery(
            within_s=within_s,
            ids=[invocation],
            unsure_s=POOL_CHECK_S,
            because=f"where a prefork pool looks for dead children every {POOL_CHECK_S:g} s",
        ),
        Evidence(landed=1),
    )


@scenario("acks_late", fault="SIGKILL main", when=bounded, pools=EVERY_POOL, weight_s=2.0)
def recovers_in_time_main_killed(stage: Stage) -> None:
    """The main process is killed while a body runs: the next attempt begins as soon as the task's contract says."""
    subject, on_redis = stage.subject, stage.target.on_redis
    sooner = (
        f"visibility_timeout, {subject.visibility_timeout:g} s, and a look for what is past it every "
        f"{subject.restore_period_s:g} s (unacked_restore_interval x unacked_restore_throttle) are to be shorter "
        "together, and the first of them longer than a task may run and wait; or RabbitMQ, which gives back at once"
    )
    remedy = redelivery(stage.task, subject, child_lost=False)
    within_s = claim(stage, remedy or (sooner if on_redis else "let a worker with a free slot be there"))
    worker = stage.worker()
    invocation = stage.publish(hold=Point.BODY_MIDDLE)
    held = stage.hold(invocation, Point.BODY_MIDDLE)
    stage.acknowledged_early(invocation)
    killed_at = time.monotonic()
    stage.cluster.kill_worker(worker, held)
    stage.replacement()
    waited_s = time.monotonic() - killed_at
    stage.settle()
    stage.check(
        Delivery(contract="at_least_once", ids=[invocation]),
        Recovery(
            within_s=within_s,
            ids=[invocation],
            unsure_s=subject.restore_period_s if on_redis else 0.0,
            because=f"where a running worker looks for it every {subject.restore_period_s:g} s",
            waited_s=round(waited_s, 3),
        ),
        Evidence(landed=1),
    )
