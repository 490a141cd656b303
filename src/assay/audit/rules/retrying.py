"""Which errors are retried, how often and how soon."""

from collections.abc import Iterator

from assay.audit.finding import Kind
from assay.audit.rule import Found, View, names, rule
from assay.scaling import waiting_s


@rule(Kind.DEAD)
def annotated_too_late(view: View) -> Iterator[Found]:
    """autoretry_for in task_annotations that were set when the tasks were made already."""
    tasks = [task for task in view.subject.tasks if task.name in view.written.annotated_late]
    if tasks:
        yield Found(
            ["task_annotations"],
            f"{names(tasks, 'was', 'were')} made before it, and take autoretry_for when they are made: it retries "
            "nothing",
            "give autoretry_for on a base class: Celery(..., task_cls=...), or configure the app before the tasks",
            tasks=tasks,
            title="task_annotations: autoretry_for",
        )


@rule(Kind.BROKEN)
def errors_by_name(view: View) -> Iterator[Found]:
    """autoretry_for with names of errors: every failure becomes a TypeError."""
    tasks = [task for task in view.subject.tasks if task.name in view.written.strings]
    if tasks:
        yield Found(
            ["task_annotations"] if view.subject.setting("task_annotations") else [],
            f"a failure of {names(tasks)} becomes TypeError: Python catches classes, and these are strings",
            "give the exception classes themselves",
            tasks=tasks,
            title="autoretry_for with strings",
        )


@rule(Kind.RISK)
def retried_without_end(view: View) -> Iterator[Found]:
    """max_retries=None: a failure that stays is retried for ever."""
    tasks = [task for task in view.subject.tasks if task.autoretry_for and task.max_retries is None]
    if tasks:
        yield Found(
            [],
            f"{names(tasks, 'is', 'are')} retried for ever while the error stays",
            "give it a max_retries",
            tasks=tasks,
            title="max_retries=None",
        )


@rule(Kind.RISK)
def retried_in_step(view: View) -> Iterator[Found]:
    """Retries without backoff, or without jitter: what failed together comes back together."""
    retrying = [task for task in view.subject.tasks if task.autoretry_for and task.max_retries != 0]
    plain = [task for task in retrying if not task.retry_backoff]
    stiff = [task for task in retrying if task.retry_backoff and not task.retry_jitter]
    if plain:
        yield Found(
            [],
            f"each retry of {names(plain)} waits equally long, so what is down is asked as often as before",
            "set retry_backoff=True on the base class or the task",
            tasks=plain,
            title="no retry_backoff",
        )
    if stiff:
        yield Found(
            [],
            f"what failed together comes back together: {names(stiff)}",
            "leave retry_jitter at True",
            tasks=stiff,
            title="retry_jitter=False",
        )


@rule(Kind.RISK)
def every_error_is_retried(view: View) -> Iterator[Found]:
    """autoretry_for=(Exception,): a bug is retried as well, and told late."""
    tasks = [task for task in view.subject.tasks if task.name in view.written.broad]
    if tasks:
        yield Found(
            [],
            f"{names(tasks, 'retries', 'retry')} what cannot end well either, such as a TypeError",
            "name the errors that pass",
            tasks=tasks,
            title="autoretry_for=(Exception,)",
        )


@rule(Kind.BROKEN)
def expired_before_its_retry(view: View) -> Iterator[Found]:
    """expires shorter than the wait before a retry: the retry is thrown away when it comes."""
    tasks = [
        task
        for task in view.subject.tasks
        if not task.retries_itself and not task.retry_backoff and 0 < (task.expires or 0) <= waiting_s(task)
    ]
    if tasks:
        first = tasks[0]
        yield Found(
            [],
            f"a retry of {names(tasks)} waits {waiting_s(first):g} s and its message expires after "
            f"{first.expires:g} s: it is thrown away",
            "let expires be longer than all retries take",
            [],
            tasks,
            title=f"expires={first.expires:g}",
        )


@rule(Kind.DEAD)
def database_errors_are_not_tried_again(view: View) -> Iterator[Found]:
    """result_backend_always_retry with django-db, which calls no locked or missing table a passing error."""
    key = "result_backend_always_retry"
    if view.on(key) and view.subject.result_backend == "django-db" and not view.written.retries_database_errors:
        # source: django_celery_results/backends/database.py, exception_safe_to_retry: InterfaceError alone
        yield Found(
            [key],
            "django-db tries again after an InterfaceError alone: a locked or unreachable database is none",
            "give the database a timeout that is longer than any lock, or a backend class whose "
            "exception_safe_to_retry knows OperationalError",
        )
