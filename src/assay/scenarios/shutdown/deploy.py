"""A new worker takes over from an old one, while work keeps coming."""

from signal import SIGTERM

from assay.checkers import Attempts, Delivery, Evidence, Shutdown
from assay.event import Kind, Point
from assay.scenario import scenario, sigterm_is_warm
from assay.scenarios.shutdown.under_way import left_loop, under_way
from assay.script import Act
from assay.stage import Stage

PART = 5
AHEAD = 12  # unfinished invocations that the client does not wait for: an old worker may have reserved as many
PACE_S = 5.0


@scenario("shutdown", fault="rolling deploy", when=sigterm_is_warm, weight_s=6.0)
def rolling_deploy(stage: Stage) -> None:
    """A new worker starts under load and the old one gets SIGTERM: each invocation is done once, by one of the two."""
    stage.claims("warm shutdown", "a deploy under load loses nothing and runs nothing twice")
    old = stage.worker(concurrency=2)
    ids = _load(stage, [])
    standing = [stage.publish(hold=Point.BODY_MIDDLE) for _ in range(2)]  # both slots: or SIGTERM met an end by chance
    held = [stage.hold(each, Point.BODY_MIDDLE) for each in standing]
    for each in standing:
        under_way(stage, each)
    ids += stage.publish_many(PART, Act(work_s=0.01))
    stage.worker(concurrency=2)
    ids = _load(stage, ids)
    stage.cluster.signal_worker(old, SIGTERM, standing[0], fault="rolling deploy")
    ids = _load(stage, ids)
    left_loop(stage, old)
    for waiting in held:
        waiting.release()
    ids = _load(stage, ids)
    stage.wait_stopped(old)
    ids = _load(stage, ids)
    stage.settle()
    ids += standing
    stage.check(
        Delivery(contract="effectively_once", ids=ids),
        Attempts(ids=ids, most=1),
        Shutdown(status=0),
        Evidence(landed=1),
    )


def _load(stage: Stage, ids: list[str]) -> list[str]:
    """The next part of a closed loop: it waits where too much is not done yet."""
    ids = [*ids, *stage.publish_many(PART, Act(work_s=0.01))]
    wanted = set(ids)

    def behind() -> int:
        done = {each.invocation for each in stage.cluster.seen if each.kind == Kind.BODY_EXITED}
        return len(wanted - done)

    stage.cluster.wait(lambda: behind() <= AHEAD, timeout_s=PACE_S)
    return ids
