"""A real body that is too slow."""

from dataclasses import replace
from itertools import pairwise

from assay.checkers import Attempts, Leftovers, TimeLimit
from assay.scaling import Scaling, Target, limits
from assay.scenario import scenario
from assay.scenarios.time_limits.limits import limited as ended
from assay.stage import Stage, TooSlowToBegin

# Soft and hard limit in real seconds. Celery counts from before the body, and a real one needs a while to begin: it may
# import, connect or start a process, on a machine that runs other scenarios. One that needs more is given more.
PATIENCE_S = ((3.0, 6.0), (12.0, 16.0))


def limited(target: Target) -> bool:
    return target.slow and bool(target.task.time_limit or target.task.soft_time_limit)


def patient(target: Target) -> list[Scaling]:
    """One after the other, until the body works before its limit; shorter limits are left as they are."""
    found = [limits(target, soft, hard, "scenario live_limit") for soft, hard in PATIENCE_S]
    return found[:1] + [later for one, later in pairwise(found) if later.redirection != one.redirection]


def scaled(target: Target) -> Scaling:
    """The first of them; that the others are there is told."""
    first, *others = patient(target)
    more = ["time limits in scenario live_limit: less scaled for a real body that needs longer to begin"]
    return replace(first, sentences=first.sentences + more * bool(others))


@scenario("time_limits", fault="too slow", when=limited, bodies=("live",), scale=scaled, weight_s=9.0)
def live_limit(stage: Stage) -> None:
    """The real body outlasts its limits: it is ended, with all that it has started."""
    stage.claims("task_time_limit", "a body that is too slow is ended, with all that it has started")
    scaling, invocation = at_work(stage)
    stage.lands(invocation, ended)
    stage.settle(30.0, enough=lambda: stage.starts(invocation) > 4)
    task = stage.task
    stage.check(
        TimeLimit(
            ids=[invocation],
            soft_s=task.soft_time_limit or None,
            hard_s=task.time_limit,
            scale=scaling.hard,
            soft_scale=scaling.soft,
            announced=False,
        ),
        Attempts(ids=[invocation], most=1 + (task.max_retries or 0)),
        Leftovers(),
    )


def at_work(stage: Stage) -> tuple[Scaling, str]:
    """How the limits are scaled of an invocation whose real body was seen at work before any of them came."""
    *before, last = patient(stage.target)
    for scaling in before:
        worker = stage.worker(concurrency=1, limits=scaling.redirection.limits)
        try:
            return scaling, _begin(stage)
        except TooSlowToBegin:
            if not stage.settle():
                raise
            stage.cluster.dismiss(worker)
    stage.worker(concurrency=1, limits=last.redirection.limits)
    return last, _begin(stage)


def _begin(stage: Stage) -> str:
    invocation, effect = stage.publish_slow()
    stage.wait_working(invocation, effect)
    return invocation
