"""The longest run that a task's contract allows, against what really ends a body."""

from dataclasses import replace

from assay.checkers import LongestRun
from assay.scaling import Scaling, Target, countdowns, limits
from assay.scenario import EVERY_POOL, scenario
from assay.scenarios.time_limits.limits import FOR_EVER, SETTLE_S, has_hard, limited
from assay.script import Act
from assay.stage import Stage

LONGEST_S = 1.5  # what the contract's time takes in a run where no limit is in force
BEYOND_S = 1.0


def bounded(target: Target) -> bool:
    return target.task.contract.run_s is not None


def enforced(target: Target) -> bool:
    return has_hard(target) and target.pool == "prefork"


def run_limits(target: Target) -> Scaling:
    """As all limits, where there is one; else the contract's time alone."""
    if enforced(target):
        return limits(target)
    base, run_s = countdowns(target), target.task.contract.run_s or 1.0
    factor = max(1.0, run_s / LONGEST_S)
    said = [f"run_s of {run_s:g} s: divided by {factor:.4g} in suite time_limits"] * (factor > 1)
    return replace(base, hard=factor, sentences=[*base.sentences, *said])


@scenario("time_limits", fault="too slow", when=bounded, pools=EVERY_POOL, scale=run_limits, weight_s=4.0)
def no_longer_than_contract(stage: Stage) -> None:
    """A body that ignores everything is ended within the time that the task's contract allows."""
    task, scale = stage.task, stage.scaling.hard
    within_s = task.contract.run_s or 0.0
    stage.requires(
        "run_s",
        f"no attempt runs longer than {within_s:g} s",
        f"give the task a time_limit of {within_s:g} s or less"
        if stage.target.pool == "prefork"
        else f"use --pool=prefork, and a time_limit: pool {stage.target.pool} ignores time limits",
    )
    stage.worker(concurrency=1)
    work_s = FOR_EVER if enforced(stage.target) else within_s / scale + BEYOND_S
    invocation = stage.publish(Act(work_s=work_s, ignores_soft=True), Act())
    stage.lands(invocation, limited)
    stage.settle(SETTLE_S, enough=lambda: stage.starts(invocation) > 2)
    stage.check(LongestRun(ids=[invocation], within_s=within_s, scale=scale))
