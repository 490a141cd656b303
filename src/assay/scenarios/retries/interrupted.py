"""Something dies while a retry is being arranged, or while it waits for its time."""

from signal import SIGTERM

from assay.checkers import Attempts, Delivery, Evidence
from assay.errors import HarnessError
from assay.event import Kind, Point
from assay.scaling import Scaling, Target, long_countdowns
from assay.scenario import scenario
from assay.scenarios.retries.policy import FAILS, retries
from assay.script import Act
from assay.stage import Stage

WAIT_S = 5.0


def long_wait(target: Target) -> Scaling:
    """A retry waits long enough for a worker to be stopped meanwhile, the first one with backoff and jitter too."""
    said = f"in the scenarios about a waiting retry each retry waits {WAIT_S:g} s at least"
    return long_countdowns(target, WAIT_S, said, within_s=WAIT_S)


def waits_in_worker(target: Target) -> bool:
    return retries(target) and target.waits_in_worker


@scenario("retries", fault="SIGKILL child", when=retries, weight_s=5.0)
def killed_after_retry_sent(stage: Stage) -> None:
    """A child is killed between publishing its retry and acknowledging the message that it retries."""
    contract = stage.contract()
    stage.worker()
    invocation = stage.publish(FAILS, Act(), hold=Point.RETRY_SENT)
    stage.kill_child_at(invocation, Point.RETRY_SENT)
    stage.settle()
    most = 3 + (stage.task.max_retries or 3)
    stage.check(
        Delivery(contract=contract.delivery, ids=[invocation]),
        Attempts(ids=[invocation], most=most),
        Evidence(landed=1),
    )


@scenario("retries", fault="SIGTERM", when=waits_in_worker, scale=long_wait, weight_s=6.0)
def worker_stopped_while_retry_waits(stage: Stage) -> None:
    """The worker that holds a waiting retry is stopped by SIGTERM; the next one runs it."""
    stage.claims("warm shutdown", "a retry that waits for its time goes back to its queue")
    worker = stage.worker()
    invocation = _waiting_retry(stage)
    stage.signal(worker, SIGTERM, invocation)
    stage.wait_stopped(worker)
    stage.take_over()
    stage.check(
        Delivery(contract="effectively_once", ids=[invocation]),
        Attempts(ids=[invocation], least=2, most=2),
        Evidence(landed=1),
    )


@scenario("retries", fault="SIGKILL group", when=waits_in_worker, scale=long_wait, weight_s=4.0)
def worker_killed_while_retry_waits(stage: Stage) -> None:
    """The worker that holds a waiting retry is killed; the message comes back after the visibility timeout."""
    stage.contract(child_lost=False)
    worker = stage.worker()
    invocation = _waiting_retry(stage)
    stage.cluster.kill_worker(worker, group=True)
    stage.replacement()
    stage.settle()
    stage.check(
        Delivery(contract="at_least_once", ids=[invocation]),
        Attempts(ids=[invocation], least=2, most=3),
        Evidence(landed=1),
    )


def _waiting_retry(stage: Stage) -> str:
    """An invocation whose first attempt has failed, and whose retry the worker has received and keeps for later."""
    invocation = stage.publish(FAILS, Act())

    def waits() -> bool:
        mine = [event.kind for event in stage.cluster.seen if event.invocation == invocation]
        return mine.count(Kind.RECEIVED) >= 2 and Kind.ACKED in mine and Kind.ATTEMPT_ENDED in mine

    if not stage.cluster.wait(waits, timeout_s=15.0):
        raise HarnessError("no retry was waiting in the worker within 15 s")
    return invocation
