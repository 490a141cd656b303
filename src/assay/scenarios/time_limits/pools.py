"""Pools that ignore time limits: the claim is tested as it would be used, and found wanting."""

from assay.checkers import TimeLimit
from assay.event import Kind
from assay.scaling import Target, limits
from assay.scenario import scenario
from assay.script import Act
from assay.stage import Stage


def limited(target: Target) -> bool:
    return bool(target.task.time_limit or target.task.soft_time_limit)


@scenario("time_limits", fault="too slow", when=limited, pools=("solo", "threads"), scale=limits, weight_s=5.0)
def limit_in_this_pool(stage: Stage) -> None:
    """A body that is slower than its limits, in a pool that has no process to stop."""
    task, scaling = stage.task, stage.scaling
    hard = task.time_limit is not None
    stage.claims(
        "task_time_limit" if hard else "task_soft_time_limit",
        f"no attempt runs longer than {task.time_limit or task.soft_time_limit:g} s",
        "use --pool=prefork: the solo and threads pools ignore time limits",
    )
    stage.worker()
    real = (task.time_limit or 0) / scaling.hard if hard else (task.soft_time_limit or 0) / scaling.soft
    invocation = stage.publish(Act(work_s=real + 2.5))
    stage.lands(invocation, lambda event: event.kind == Kind.BODY_EXITED)
    stage.settle()
    stage.check(
        TimeLimit(
            ids=[invocation],
            soft_s=task.soft_time_limit,
            hard_s=task.time_limit,
            scale=scaling.hard if hard else scaling.soft,
            soft_scale=scaling.soft,
        )
    )
