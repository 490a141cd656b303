"""The hooks of the user's tasks: on_success, on_failure, on_retry and after_return, each time that Celery calls one."""

from collections.abc import Callable
from typing import Any

from celery import Celery

from assay.event import Kind
from assay.instrument import wrapping
from assay.recorder import Recorder

#: hook: which of its arguments is the invocation's id (celery/app/task.py)
HOOKS = {"on_success": 1, "on_failure": 1, "on_retry": 1, "after_return": 2}


def record_hooks(app: Celery, recorder: Recorder) -> None:
    """Put on the task's own instance: whether a class overrides a hook, Celery looks up in its classes.

    Sources: celery/app/trace.py, task_has_custom; on_success and after_return are only called where one does.
    """
    for name, task in app.tasks.items():
        if not name.startswith("celery."):
            for hook, at in HOOKS.items():
                wrapping.wrap(task, hook, _told(recorder, name, hook, at))


def _told(recorder: Recorder, task: str, hook: str, at: int) -> Callable[..., Callable[..., Any]]:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def method(*args: Any, **kwargs: Any) -> Any:
            invocation = args[at] if len(args) > at else kwargs.get("task_id")
            recorder.record(Kind.HOOK, str(invocation or ""), task, name=hook)
            return original(*args, **kwargs)

        return method

    return make
