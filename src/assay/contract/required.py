"""`@requires`: what a team requires of a task, said beside it.

It runs in the app's own processes, in production too: it imports nothing of Assay's or anybody's, wraps nothing, looks
at nothing and makes nothing evaluate. What is noted here is read by a run alone (assay/inspection/declared.py).
"""

from collections.abc import Callable
from typing import TypeVar

Marked = TypeVar("Marked")
#: what was marked, a function, a class or Celery's promise of a task, and what is required of it
NOTED: list[tuple[object, dict[str, object]]] = []


def requires(
    *,
    delivery: str | None = None,
    recovery_s: float | None = None,
    attempts: int | None = None,
    run_s: float | None = None,
    queue: str | None = None,
    importance: int | None = None,
) -> Callable[[Marked], Marked]:
    """Above or below `@app.task` or `@shared_task`; durations in seconds. docs/contracts.md tells what each means.

    Values are looked at by a run, and never here: what is misspelt must not keep a worker from starting.
    """
    given = {
        "delivery": delivery,
        "recovery_s": recovery_s,
        "attempts": attempts,
        "run_s": run_s,
        "queue": queue,
        "importance": importance,
    }

    def mark(task: Marked) -> Marked:
        NOTED.append((task, {part: value for part, value in given.items() if value is not None}))
        return task

    return mark
