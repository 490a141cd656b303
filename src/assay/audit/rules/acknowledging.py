"""When a message is acknowledged, and what becomes of it when its worker is lost."""

from collections.abc import Iterator

from assay.audit.finding import Change, Kind
from assay.audit.rule import Found, View, names, rule
from assay.subject import RETRY_ON_LOST, Task


@rule(Kind.BROKEN)
def rejected_too_late(view: View) -> Iterator[Found]:
    """task_reject_on_worker_lost without task_acks_late: the message is acknowledged before a worker can be lost."""
    tasks = [task for task in view.subject.tasks if task.reject_on_worker_lost and not _comes_back(task)]
    if tasks and view.pool == "prefork":
        yield Found(
            ["task_reject_on_worker_lost"],
            f"the message of {names(tasks)} is acknowledged when a child begins it, so there is nothing to reject when "
            "that child is lost",
            "set task_acks_late=True" + _with_bound(view),
            _for_all(view, "task_reject_on_worker_lost", tasks, Change("task_acks_late", "True")),
            tasks,
        )


@rule(Kind.BROKEN)
def lost_child_is_acknowledged(view: View) -> Iterator[Found]:
    """task_acks_late alone: the message of a child that is killed is acknowledged all the same."""
    tasks = [
        task
        for task in view.subject.tasks
        if task.acks_late and not task.reject_on_worker_lost and not task.retry_on_worker_lost
    ]
    if tasks and view.pool == "prefork":
        yield Found(
            ["task_acks_late"],
            f"when a pool child is lost, {names(tasks, 'is', 'are')} recorded as failed and acknowledged: late "
            "acknowledgement alone gives back what a lost main process had",
            "set task_reject_on_worker_lost=True" + _with_bound(view),
            _for_all(view, "task_acks_late", tasks, Change("task_reject_on_worker_lost", "True")),
            tasks,
        )


@rule(Kind.RISK)
def comes_back_for_ever(view: View) -> Iterator[Found]:
    """A task that kills its child each time comes back without end, and keeps its slot busy."""
    tasks = [
        task
        for task in view.subject.tasks
        if task.acks_late
        and task.reject_on_worker_lost
        and not task.retry_on_worker_lost
        and not (task.request or "before_start" in task.hooks)  # which may count the starts
    ]
    if tasks and view.pool == "prefork":
        yield Found(
            ["task_reject_on_worker_lost"],
            f"{names(tasks, 'comes', 'come')} back each time that the child is lost, and nothing counts how often",
            "set task_retry_on_worker_lost=True, which counts a lost child as a retry"
            if _bounded(view)
            else "count starts in before_start and give up; from Celery 5.7 on task_retry_on_worker_lost=True does",
            _bounded(view),
            tasks,
        )


@rule(Kind.RISK)
def failed_comes_back(view: View) -> Iterator[Found]:
    """Late acknowledgement that leaves out failures or timeouts: it runs again without end, or is dropped."""
    for option, then in (
        ("acks_on_timeout", "is run again without end when over the time limit"),
        ("acks_on_failure", "is rejected on failure: dropped by the broker, or run again without end"),
    ):
        tasks = [task for task in view.subject.tasks if task.acks_late and not getattr(task, option)]
        if tasks:
            key = f"task_{option}"
            named = key if view.subject.setting(key) else "task_acks_on_failure_or_timeout"
            changes = [Change(named)] if view.subject.setting(named) else []
            yield Found([named], f"{names(tasks, then, then)}", f"leave {named} at True", changes, tasks)


@rule(Kind.DEAD)
def nothing_to_deduplicate(view: View) -> Iterator[Found]:
    """worker_deduplicate_successful_tasks where no result is stored, or nothing is acknowledged late."""
    key = "worker_deduplicate_successful_tasks"
    if not view.on(key):
        return
    # source: celery/app/trace.py, build_tracer
    backend = view.subject.result_backend
    late = [task for task in view.subject.tasks if task.acks_late]
    if not late:
        yield Found([key], "it looks at tasks that are acknowledged late, and none is", "set task_acks_late=True")
    elif backend == "disabled":
        yield Found(
            [key],
            f"it reads the stored result, and there is no result_backend: what is given back of {names(late)} "
            "fails with AttributeError before its body",
            "set a result_backend",
            tasks=late,
            kind=Kind.BROKEN,
        )
    elif backend == "rpc":
        yield Found([key], f"it reads the stored result, and result_backend is {backend}", "set a result_backend")


@rule(Kind.RISK)
def hoards(view: View) -> Iterator[Found]:
    """Late acknowledgement with a prefetch beyond one: a worker that is lost gives back all that it held."""
    tasks = [task for task in view.subject.tasks if task.acks_late]
    many = view.subject.prefetch_multiplier
    if tasks and many != 1 and not view.subject.disable_prefetch:
        yield Found(
            ["worker_prefetch_multiplier"],
            f"each slot of a worker holds {many or 'all'} messages, while other workers idle, and when it is lost "
            f"all of them wait to be given back: {names(tasks)}",
            "set worker_prefetch_multiplier=1",
            [Change("worker_prefetch_multiplier", "1")],
            tasks,
            title="" if view.subject.setting("worker_prefetch_multiplier") else f"worker_prefetch_multiplier={many}",
        )


@rule(Kind.RISK)
def waits_behind_a_long_task(view: View) -> Iterator[Found]:
    """Early acknowledgement reserves as many messages again behind the ones that run."""
    tasks = [task for task in view.subject.tasks if not task.acks_late and (task.time_limit or task.soft_time_limit)]
    many = view.subject.prefetch_multiplier
    if tasks and not view.subject.disable_prefetch and view.pool in ("prefork", "threads"):
        given = view.subject.setting("worker_prefetch_multiplier")
        if given and many == 1:
            observed = "with early acknowledgement a slot still reserves one message behind the one that runs"
        else:
            observed = f"a slot reserves {many or 'all'} messages behind the one that runs, while other workers idle"
        yield Found(
            ["worker_prefetch_multiplier"],
            f"{observed}: {names(tasks)}",
            "set task_acks_late=True and worker_prefetch_multiplier=1, where the tasks may run twice",
            tasks=tasks,
            title="" if given else f"worker_prefetch_multiplier={many}",
        )


def _bounded(view: View) -> list[Change]:
    """What bounds how often a task comes back that kills its child each time: Celery 5.7 counts it as a retry."""
    return [Change("task_retry_on_worker_lost", "True")] if view.subject.celery >= RETRY_ON_LOST else []


def _with_bound(view: View) -> str:
    if _bounded(view):
        return ", and task_retry_on_worker_lost=True, which counts a lost child as a retry"
    return ", and count starts in before_start: a task that kills its child comes back without end"


def _for_all(view: View, key: str, tasks: list[Task], change: Change) -> list[Change]:
    """Only what the app says of all its tasks is changed for all, and nothing that would come back without end."""
    bounded = _bounded(view)
    return [change, *bounded] if bounded and view.on(key) and len(tasks) == len(view.subject.tasks) else []


def _comes_back(task: Task) -> bool:
    return task.acks_late or task.retry_on_worker_lost
