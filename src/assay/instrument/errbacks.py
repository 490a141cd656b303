"""Errbacks that Celery calls in the process where the failure is noticed, rather than send them to their queue.

It does so where the errback's body takes more than one argument and the task is not bound (celery/backends/base.py,
Backend._call_task_errbacks, 5.4 to 5.7): in the child of the failed body, in main for a lost child.
"""

from collections.abc import Callable
from typing import Any

from assay.event import Kind
from assay.instrument import wrapping
from assay.recorder import Recorder


def record_errbacks(recorder: Recorder) -> None:
    """Such a call is an attempt of the errback's, without a delivery."""
    from celery.canvas import Signature

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            invocation = str(self.options.get("task_id") or "")
            if not recorder.is_scripted(invocation):
                return original(self, *args, **kwargs)
            with recorder.call(invocation):
                recorder.record(Kind.ATTEMPT_STARTED, invocation, self.task, start=recorder.start, in_process=True)
                state = "FAILURE"
                try:
                    result = original(self, *args, **kwargs)
                    state = "SUCCESS"
                finally:
                    recorder.record(Kind.ATTEMPT_ENDED, invocation, self.task, state=state)
            return result

        return call

    wrapping.wrap(Signature, "__call__", make)
