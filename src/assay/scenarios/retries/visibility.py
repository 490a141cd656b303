"""A retry that waits longer than the visibility timeout is given back while its worker still keeps it."""

from assay.checkers import Attempts, Delivery
from assay.errors import HarnessError
from assay.scaling import Scaling, Target, countdowns, waiting_s
from assay.scenario import scenario
from assay.scenarios.acks_late.visibility import claim, second_worker
from assay.stage import Stage

WAIT_S = 10.0


def waits_long(target: Target) -> bool:
    return target.on_redis and waiting_s(target.task) >= WAIT_S


def long_wait(target: Target) -> Scaling:
    """The longest retry delay leaves time for a worker to start."""
    return countdowns(target, WAIT_S)


@scenario("retries", fault="none", when=waits_long, scale=long_wait, weight_s=8.0)
def second_worker_while_it_waits(stage: Stage) -> None:
    """A worker starts while a message waits as long as a retry may: it runs once."""
    waiting = waiting_s(stage.task)
    claim(stage, 0.0, waiting)
    stage.worker(concurrency=1)
    invocation = stage.publish(countdown=waiting)
    second_worker(stage, invocation, waiting)
    if stage.starts(invocation):
        raise HarnessError(f"the wait of {WAIT_S:g} s was over before the second worker had started")
    stage.settle()
    stage.check(Attempts(ids=[invocation], most=1), Delivery(contract="effectively_once", ids=[invocation]))
