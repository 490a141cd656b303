"""Pools that ignore time limits: each claim is tested as it would be used, and found wanting."""

from assay.checkers import TimeLimit
from assay.event import Kind
from assay.scaling import limits
from assay.scenario import scenario
from assay.scenarios.time_limits.limits import has_hard, has_soft
from assay.script import Act
from assay.stage import Stage

POOLS = ("solo", "threads")
REMEDY = "use --pool=prefork: the solo and threads pools ignore time limits"


@scenario("time_limits", fault="too slow", when=has_hard, pools=POOLS, scale=limits, weight_s=5.0)
def limit_in_this_pool(stage: Stage) -> None:
    """A body that is slower than its hard limit, in a pool that has no process to stop."""
    limit_s, scale = stage.task.time_limit or 0.0, stage.scaling.hard
    stage.claims("task_time_limit", f"no attempt runs longer than {limit_s:g} s", REMEDY)
    invocation = outlast(stage, limit_s / scale)
    stage.check(TimeLimit(ids=[invocation], hard_s=limit_s, scale=scale))


@scenario("time_limits", fault="too slow", when=has_soft, pools=POOLS, scale=limits, weight_s=4.0)
def soft_limit_in_this_pool(stage: Stage) -> None:
    """A body that is slower than its soft limit, in a pool that does not tell it."""
    limit_s, scale = stage.task.soft_time_limit or 0.0, stage.scaling.soft
    stage.claims("task_soft_time_limit", f"a body is told after {limit_s:g} s", REMEDY)
    invocation = outlast(stage, limit_s / scale)
    stage.check(TimeLimit(ids=[invocation], soft_s=limit_s, soft_scale=scale))


def outlast(stage: Stage, real_s: float) -> str:
    """An invocation whose body ends by itself, and later than a limit that takes so long in the run."""
    stage.worker()
    invocation = stage.publish(Act(work_s=real_s + 2.5))
    stage.lands(invocation, lambda event: event.kind == Kind.BODY_EXITED)
    stage.settle()
    return invocation
