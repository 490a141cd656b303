"""A real body that is too slow."""

from assay.checkers import Attempts, Leftovers, TimeLimit
from assay.scaling import Target, limits
from assay.scenario import scenario
from assay.scenarios.time_limits.limits import limited as ended
from assay.stage import Stage


def limited(target: Target) -> bool:
    return target.slow and bool(target.task.time_limit or target.task.soft_time_limit)


@scenario("time_limits", fault="too slow", when=limited, bodies=("live",), scale=limits, weight_s=4.0)
def live_limit(stage: Stage) -> None:
    """The real body outlasts its limits: it is ended, with all that it has started."""
    task, scaling = stage.task, stage.scaling
    stage.claims("task_time_limit", "a body that is too slow is ended, with all that it has started")
    stage.worker(concurrency=1)
    invocation, effect = stage.publish_slow()
    stage.wait_working(effect)
    stage.lands(invocation, ended)
    stage.settle(30.0, enough=lambda: stage.starts(invocation) > 4)
    soft = task.soft_time_limit if task.soft_time_limit else None
    stage.check(
        TimeLimit(
            ids=[invocation],
            soft_s=soft,
            hard_s=task.time_limit,
            scale=scaling.hard,
            soft_scale=scaling.soft,
            announced=False,
        ),
        Attempts(ids=[invocation], most=1 + (task.max_retries or 0)),
        Leftovers(),
    )
