"""Where Celery keeps a task's body: what `run` is, or what `autoretry_for` has wrapped (celery/app/autoretry.py)."""

from collections.abc import Callable
from typing import Any


def body_of(task: Any) -> Callable[..., Any]:
    """The user's own function, bound or not."""
    return getattr(task, _place(task))  # type: ignore[no-any-return]


def replace_body(task: Any, run: Callable[..., Any]) -> None:
    """On the task's own instance: name, base class, options, hooks, annotations and routes stay the user's own."""
    setattr(task, _place(task), run)


def _place(task: Any) -> str:
    return "_orig_run" if hasattr(task, "_orig_run") else "run"
