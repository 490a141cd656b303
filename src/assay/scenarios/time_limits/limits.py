"""Soft and hard time limits, scaled to about a second, in a pool that can enforce them."""

from typing import Any

from assay.checkers import Attempts, Delivery, FinalState, Leftovers, NextTask, TimeLimit
from assay.contract.delivery import most_attempts
from assay.event import Event, Kind
from assay.scaling import Target, limits
from assay.scenario import scenario
from assay.script import Act
from assay.stage import Stage

FOR_EVER = 30.0
SETTLE_S = 30.0
RETRIED_FOR = {"SoftTimeLimitExceeded", "Exception", "BaseException"}  # by which a soft limit is one more retry


def has_soft(target: Target) -> bool:
    soft, hard = target.task.soft_time_limit, target.task.time_limit
    return soft is not None and (hard is None or soft < hard)


def has_hard(target: Target) -> bool:
    return target.task.time_limit is not None


def own_limit(target: Target) -> bool:
    """Whether the task's limit differs from the configuration's."""
    setting = target.subject.setting("task_time_limit")
    return has_hard(target) and setting is not None and setting.value != target.task.time_limit


def own_soft_limit(target: Target) -> bool:
    setting = target.subject.setting("task_soft_time_limit")
    return has_soft(target) and setting is not None and setting.value != target.task.soft_time_limit


def given_back(target: Target) -> bool:
    """Whether a task that its hard limit has ended is to go back to its queue.

    Celery 5.7 gives it back (celery/worker/request.py, Request.on_timeout); before, Request.on_failure drops it.
    """
    return has_hard(target) and target.task.acks_late and not target.task.acks_on_timeout


def claim_end(stage: Stage, promise: str) -> None:
    """What becomes of the message after a hard limit is said by one of two settings, or by the task's own option."""
    names = ("task_acks_on_timeout", "task_acks_on_failure_or_timeout")
    setting = next(filter(stage.subject.setting, names), names[0])
    stage.claims(setting, promise, f"leave {setting} at True, or count deliveries in the task's base class")
    if not stage.subject.place(stage.setting):
        stage.place = stage.task.place


def limited(event: Event) -> bool:
    """The worker's main process saw it at its limit; or a body ended by itself, which is a violation of its own."""
    return event.kind in (Kind.SOFT_LIMIT, Kind.HARD_LIMIT, Kind.BODY_EXITED)


def checker(stage: Stage, ids: list[str], soft_handled: bool | None = None) -> TimeLimit:
    task, scaling = stage.task, stage.scaling
    return TimeLimit(
        ids=ids,
        soft_s=task.soft_time_limit,
        hard_s=task.time_limit,
        scale=scaling.hard if task.time_limit else scaling.soft,
        soft_scale=scaling.soft,
        soft_handled=soft_handled,
    )


@scenario("time_limits", fault="too slow", when=has_soft, scale=limits, weight_s=2.0)
def soft_limit_handled(stage: Stage) -> None:
    """A body that catches SoftTimeLimitExceeded cleans up and returns."""
    stage.claims("task_soft_time_limit", f"a body is told after {stage.task.soft_time_limit:g} s and can clean up")
    stage.worker(concurrency=1)
    invocation = stage.publish(Act(work_s=FOR_EVER, handles_soft=True))
    stage.lands(invocation, limited)
    stage.settle(SETTLE_S)
    ids = [invocation]
    stage.check(
        checker(stage, ids, soft_handled=True),
        Delivery(contract="effectively_once", ids=ids),
        Attempts(ids=ids, most=1),
    )


@scenario("time_limits", fault="too slow", when=has_soft, scale=limits, weight_s=2.0)
def soft_limit_not_handled(stage: Stage) -> None:
    """A body that does not catch it fails by it, and the child lives on."""
    stage.claims("task_soft_time_limit", f"a body is ended after {stage.task.soft_time_limit:g} s")
    stage.worker(concurrency=1)
    invocation = stage.publish(Act(work_s=FOR_EVER))
    stage.lands(invocation, limited)
    stage.settle(SETTLE_S)
    after = stage.publish()
    stage.settle(SETTLE_S)
    stage.check(checker(stage, [invocation], soft_handled=False), NextTask(ids=[after]))
    if not RETRIED_FOR & {name.rpartition(".")[2] for name in stage.task.autoretry_for}:
        stage.check(Attempts(ids=[invocation], most=1))
        if stage.target.stores_results:
            stage.check(FinalState(ids=[invocation], states=["FAILURE"]))


@scenario("time_limits", fault="too slow", when=has_hard, scale=limits, weight_s=4.0)
def hard_limit(stage: Stage) -> None:
    """A body that ignores everything is ended by the hard limit; its failure is recorded and it does not run again."""
    limit = f"no attempt runs longer than {stage.task.time_limit:g} s"
    stage.claims("task_time_limit", limit)
    stage.worker(concurrency=1)
    invocation = stage.publish(Act(work_s=FOR_EVER, ignores_soft=True), Act())
    stage.lands(invocation, limited)
    stage.settle(SETTLE_S, enough=lambda: stage.starts(invocation) > 2)
    ids, again = [invocation], given_back(stage.target)
    if again:
        claim_end(stage, f"{limit}, and one that is ended by it runs again")
    stage.check(checker(stage, ids), Attempts(ids=ids, least=1 + again, most=1 + again))
    if stage.target.stores_results:
        stage.check(FinalState(ids=ids, states=["SUCCESS" if again else "FAILURE"]))


@scenario("time_limits", fault="too slow", when=given_back, scale=limits, weight_s=25.0)
def too_slow_every_time(stage: Stage) -> None:
    """A task that goes back to its queue after a hard limit, and is too slow in every attempt."""
    bound = most_attempts(stage.task)
    promise = f"a task that is too slow every time ends, after {bound} attempts at the most"
    claim_end(stage, promise)
    if stage.task.contract.attempts:
        stage.requires("attempts", promise, stage.remedy)
        stage.place = ""
    stage.worker(concurrency=1)
    invocation = stage.publish(Act(work_s=FOR_EVER, ignores_soft=True))
    stage.lands(invocation, limited)
    stage.settle(3 * SETTLE_S, enough=lambda: stage.starts(invocation) > bound)
    stage.check(Attempts(ids=[invocation], most=bound))


@scenario("time_limits", fault="too slow", when=own_limit, scale=limits, weight_s=4.0)
def own_limit_over_global(stage: Stage) -> None:
    """The task's own limit is in force rather than the configuration's."""
    stage.claims("time_limit", f"this task's own limit of {stage.task.time_limit:g} s wins")
    stage.place = stage.task.place
    stage.worker(concurrency=1)
    invocation = stage.publish(Act(work_s=FOR_EVER, ignores_soft=True))
    stage.lands(invocation, limited)
    stage.settle(SETTLE_S, enough=lambda: stage.starts(invocation) > 2)
    stage.check(checker(stage, [invocation]))


@scenario("time_limits", fault="too slow", when=own_soft_limit, scale=limits, weight_s=2.0)
def own_soft_limit_over_global(stage: Stage) -> None:
    """The task's own soft limit is in force rather than the configuration's."""
    stage.claims("soft_time_limit", f"this task's own soft limit of {stage.task.soft_time_limit:g} s wins")
    stage.place = stage.task.place
    stage.worker(concurrency=1)
    invocation = stage.publish(Act(work_s=FOR_EVER, handles_soft=True))
    stage.lands(invocation, limited)
    stage.settle(SETTLE_S)
    stage.check(checker(stage, [invocation], soft_handled=True))


@scenario("time_limits", fault="too slow", when=has_hard, scale=limits, weight_s=3.0)
def limit_of_the_call(stage: Stage) -> None:
    """Shorter limits that are given at the call, and travel in the message, win over the task's."""
    task, scaling = stage.task, stage.scaling
    soft = task.soft_time_limit / 2 if has_soft(stage.target) and task.soft_time_limit else None
    hard, scale = (2 * soft, scaling.soft) if soft else ((task.time_limit or 0) / 2, scaling.hard)
    stage.claims(
        "apply_async(time_limit=)", f"a limit of {hard:g} s that is given at the call wins over the task's own"
    )
    stage.place = task.place
    stage.worker(concurrency=1)
    given: dict[str, Any] = {"time_limit": hard} | ({"soft_time_limit": soft} if soft else {})
    invocation = stage.publish(Act(work_s=FOR_EVER, ignores_soft=True), Act(), **given)
    stage.lands(invocation, limited)
    stage.settle(SETTLE_S, enough=lambda: stage.starts(invocation) > 2)
    stage.check(TimeLimit(ids=[invocation], soft_s=soft, hard_s=hard, scale=scale, soft_scale=scale))


@scenario("time_limits", fault="too slow", when=has_hard, scale=limits, weight_s=8.0)
def pool_whole_again(stage: Stage) -> None:
    """After a hard limit the pool has a new child, and the next tasks in it are undamaged."""
    stage.claims("task_time_limit", "the pool is whole again after a limit")
    stage.worker(concurrency=1)
    slow = stage.publish(Act(work_s=FOR_EVER, ignores_soft=True))
    after = stage.publish_many(3)
    stage.lands(slow, limited)
    stage.settle(SETTLE_S, enough=lambda: stage.starts(slow) > 2)
    stage.check(checker(stage, [slow]), NextTask(ids=after), Delivery(contract="effectively_once", ids=after))


@scenario("time_limits", fault="too slow", when=has_hard, scale=limits, weight_s=4.0)
def stubborn_body(stage: Stage) -> None:
    """A body that also ignores SIGTERM is ended all the same."""
    stage.claims("task_time_limit", f"no attempt runs longer than {stage.task.time_limit:g} s, whatever it ignores")
    stage.worker(concurrency=1)
    invocation = stage.publish(Act(work_s=FOR_EVER, ignores_soft=True, ignores_term=True))
    stage.lands(invocation, limited)
    stage.settle(SETTLE_S, enough=lambda: stage.starts(invocation) > 2)
    stage.check(checker(stage, [invocation]), Leftovers(processes=False))
