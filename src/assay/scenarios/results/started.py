"""task_track_started: who looks can see that a task has begun."""

from assay.checkers import Evidence, FinalState
from assay.event import Point
from assay.scaling import Target
from assay.scenario import scenario
from assay.stage import Stage


def tracked(target: Target) -> bool:
    return target.task.track_started and target.stores_results


@scenario("results", fault="SIGKILL group", when=tracked)
def started_is_told(stage: Stage) -> None:
    """The whole worker is killed while a body runs, and nobody takes over: the state says that it had begun."""
    stage.claims("task_track_started", "it can be read that a task has begun")
    worker = stage.worker(concurrency=1)
    invocation = stage.publish(hold=Point.BODY_MIDDLE)
    stage.cluster.kill_worker(worker, stage.hold(invocation, Point.BODY_MIDDLE), group=True)
    stage.check(FinalState(ids=[invocation], states=["STARTED"]), Evidence(landed=1, settled=False))
