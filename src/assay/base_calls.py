"""Whether the base class of a task lets the task's body run, called as a run calls it.

A base class may define `__call__`, and want arguments there that a hollow body does not: pretix's tasks want an event,
and read it from the database. Asked in a process of the app's own, with the run's databases; the body is not run.
"""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from celery import Celery, Task

from assay.body import replace_body
from assay.boot import BASE_CALLS
from assay.subject import LeftOut


class _Begun(BaseException):
    """The body was called. No `except Exception` of a base class takes it for a failure."""


def ask(app: Celery, calls: Mapping[str, dict[str, Any]], folder: Path) -> None:
    """Write {task: what lets its body not begin} to BASE_CALLS in `folder`; `calls` are {task: its args and kwargs}."""
    found = {
        name: LeftOut(_who_calls(app.tasks[name]), why)
        for name, call in calls.items()
        if (why := _why_not(app.tasks[name], **call))
    }
    (folder / BASE_CALLS).write_bytes(msgspec.json.encode(found))


def leave_out(task: Task) -> None:
    """Its body is called by the worker itself, as where no class defines `__call__` (celery/app/trace.py).

    Celery's own `__call__` would give it a request that knows nothing of the message.
    """
    type(task).__call__ = _run


def _run(task: Task, *args: Any, **kwargs: Any) -> Any:
    return task.run(*args, **kwargs)


def _who_calls(task: Task) -> str:
    """The class that defines the `__call__` of the task."""
    owner = next(each for each in type(task).__mro__ if "__call__" in vars(each))
    return f"{owner.__module__}.{owner.__qualname__}"


def _why_not(task: Task, args: list[Any], kwargs: dict[str, Any]) -> str:
    begun = False

    def run(*_: Any, **__: Any) -> None:
        nonlocal begun
        begun = True
        raise _Begun

    replace_body(task, run)
    task.push_request(
        id=str(uuid.uuid4()), args=args, kwargs=kwargs, called_directly=False, retries=0, headers={}, delivery_info={}
    )
    why = "it does not call it"
    try:
        task(*args, **kwargs)
    except BaseException as error:
        why = f"{type(error).__name__}: {' '.join(str(error).split())[:100]}".removesuffix(": ")
    return "" if begun else why
