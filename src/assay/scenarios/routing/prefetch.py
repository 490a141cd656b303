"""worker_prefetch_multiplier: what one worker takes ahead, no other one can have."""

from assay.checkers import Ahead, Delivery, Evidence
from assay.event import Kind, Point
from assay.scaling import Target
from assay.scenario import scenario
from assay.stage import Stage

MORE = 4  # messages beyond those that are allowed
TAKES_S = 15.0


def bounded(target: Target) -> bool:
    """Whether the app says how many; 0 is without a bound."""
    return target.subject.setting("worker_prefetch_multiplier") is not None and target.subject.prefetch_multiplier > 0


def allowed(target: Target) -> int:
    """By a worker of one slot, that is busy: what is acknowledged early is not counted by the broker any more."""
    early = not target.task.acks_late
    if target.subject.disable_prefetch and target.on_redis:
        return 1
    return target.subject.prefetch_multiplier + early


@scenario("routing", fault="none", when=bounded, weight_s=2.0)
def no_more_ahead(stage: Stage) -> None:
    """A worker whose slot is busy takes no more messages than it may: another worker does the rest meanwhile."""
    most = allowed(stage.target)
    stage.claims("worker_prefetch_multiplier", f"a busy worker of one slot has taken {most} messages at the most")
    busy = stage.worker(concurrency=1)
    first = stage.publish(hold=Point.BODY_MIDDLE)
    held = stage.hold(first, Point.BODY_MIDDLE)
    stage.acknowledged_early(first)
    others = stage.publish_many(most + MORE)
    for each in others[: most - 1]:
        stage.delivered(each)
    stage.worker(concurrency=1)

    def taken() -> bool:
        """By the busy one, or done by the other: nothing is left to be taken."""
        seen = stage.cluster.seen
        his = {each.invocation for each in seen if each.kind is Kind.RECEIVED and each.worker == busy.name}
        done = {each.invocation for each in seen if each.kind is Kind.ATTEMPT_ENDED}
        return {*others} <= his | done

    stage.cluster.wait(taken, timeout_s=TAKES_S)
    held.release()
    stage.settle()
    stage.check(
        Ahead(worker=busy.name, most=most),
        Delivery(contract="effectively_once", ids=[first, *others]),
        Evidence(landed=0, in_flight=False),
    )
