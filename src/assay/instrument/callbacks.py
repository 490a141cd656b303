"""What a publication of the harness links to a task: two tasks of its own, in a worker that is asked to have them."""

from typing import Any

from celery import Celery, Task

from assay.event import Kind
from assay.recorder import Recorder
from assay.script import LINK, LINK_ERROR


def register(app: Celery, recorder: Recorder) -> None:
    """Plain tasks, not of the app's base class. `link` comes by a message, `link_error` is called where it failed.

    Source: celery/backends/base.py, Backend._call_task_errbacks, of an errback with more than one argument.
    """

    def link(self: Task, *_: Any) -> None:
        recorder.record(Kind.HOOK, str(self.request.parent_id or ""), name="link")

    def link_error(request: Any, exc: Any, traceback: Any) -> None:
        recorder.record(Kind.HOOK, str(request.id or ""), name="link_error")

    for body, name in ((link, LINK), (link_error, LINK_ERROR)):
        app.task(body, name=name, base=Task, bind=body is link, ignore_result=True, shared=False, lazy=False)
