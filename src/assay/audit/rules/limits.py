"""Time limits and recycling: which pool enforces them, and how long a task may take."""

from collections.abc import Iterator

from assay.audit.finding import Kind
from assay.audit.rule import Found, View, names, rule

OF_PREFORK = {
    "task_time_limit": "no task is stopped",
    "task_soft_time_limit": "no body is told",
    "worker_max_tasks_per_child": "no process is replaced",
    "worker_max_memory_per_child": "no process is replaced",
    "worker_pool_restarts": "the restart is answered with ok, and nothing is restarted",
    "task_reject_on_worker_lost": "it has no children that could be lost",
}


@rule(Kind.DEAD)
def not_of_this_pool(view: View) -> Iterator[Found]:
    """Limits, recycling and pool restarts with pool solo or threads."""
    if view.pool not in ("solo", "threads"):  # gevent and eventlet enforce time limits, a custom pool may
        return
    for key, then in OF_PREFORK.items():
        if view.on(key):
            yield Found([key], f"pool {view.pool} ignores it: {then}", "run the workers with --pool=prefork")
    own = [task for task in view.subject.tasks if task.time_limit or task.soft_time_limit]
    if own and not view.on("task_time_limit") and not view.on("task_soft_time_limit"):
        yield Found(
            [],
            f"pool {view.pool} ignores the limits of {names(own)}",
            "run the workers with --pool=prefork",
            tasks=own,
            title="time_limit, soft_time_limit",
        )


@rule(Kind.RISK)
def no_limit(view: View) -> Iterator[Found]:
    """A task that may run for ever."""
    tasks = [task for task in view.subject.tasks if not task.time_limit and not task.soft_time_limit]
    if tasks:
        yield Found(
            ["task_time_limit"],
            f"nothing ends {names(tasks)} when it hangs, and its slot is taken for good",
            "set task_time_limit, and a task_soft_time_limit below it",
            tasks=tasks,
            title="no time limit",
        )


@rule(Kind.DEAD)
def zero_is_no_limit(view: View) -> Iterator[Found]:
    """A limit of 0 on a task: it is taken for none given, so the app's limit is in force."""
    tasks = [task for task in view.subject.tasks if task.name in view.written.zero_limits]
    if tasks:
        # source: celery/worker/request.py, Request.execute_using_pool, and billiard/pool.py, Pool.apply_async
        yield Found(
            [],
            f"0 is taken for no value on {names(tasks)}: the app's limit is in force all the same",
            "give the task a limit of its own that is long enough",
            tasks=tasks,
            title="time_limit=0",
        )


@rule(Kind.RISK)
def memory_is_not_bounded(view: View) -> Iterator[Found]:
    """worker_max_tasks_per_child alone: a leak is cut off after so many tasks, however large it is by then."""
    if view.pool == "prefork" and view.on("worker_max_tasks_per_child") and not view.subject.max_memory_per_child:
        yield Found(
            ["worker_max_tasks_per_child"],
            "a child is replaced after so many tasks, however much memory it has taken by then",
            "set worker_max_memory_per_child as well, in KiB",
        )
