"""What becomes of results."""

from collections.abc import Iterator

from assay.audit.finding import Change, Kind
from assay.audit.rule import Found, View, rule


@rule(Kind.RISK)
def kept_for_ever(view: View) -> Iterator[Found]:
    """result_expires of None or 0: the backend grows without bound."""
    key, values = "result_expires", view.written.values
    stored = not values.get("task_ignore_result") and any(not task.ignore_result for task in view.subject.tasks)
    if view.subject.result_backend not in ("disabled", "rpc") and stored and not values.get(key):
        yield Found([key], "results are kept for ever", f"give {key} a time in seconds", [Change(key)])


@rule(Kind.RISK)
def thrown_away(view: View) -> Iterator[Found]:
    """No result backend: what a task returns, and that it failed, is stored nowhere."""
    tasks = [task for task in view.subject.tasks if not task.ignore_result and not task.backend]
    if view.subject.result_backend == "disabled" and tasks:
        yield Found(
            ["result_backend"],
            "what tasks return, and that they failed, is stored nowhere",
            "set result_backend, or task_ignore_result=True to say that this is meant",
            title="no result_backend",
        )


@rule(Kind.RISK)
def started_may_fail(view: View) -> Iterator[Found]:
    """task_track_started with a database: a task whose STARTED cannot be stored fails, and its body never runs."""
    tracked = any(task.track_started for task in view.subject.tasks)
    if tracked and view.subject.result_backend in ("django-db", "db"):
        yield Found(
            ["task_track_started"],
            "a database that is locked or away when a task begins makes it fail: its body never runs, and its message "
            "is acknowledged",
            "give the database a timeout that is longer than any lock",
        )
