"""What the result backend is given to store."""

from collections.abc import Callable
from typing import Any

from assay.event import Kind, Point
from assay.instrument import wrapping
from assay.recorder import Recorder


def record_results(backend: type, recorder: Recorder) -> None:
    """Record each result that this class of backend stores, and stop at the crash points around it.

    Where the backend tries again by itself (result_backend_always_retry) each try that fails is told too.
    Source: celery/backends/base.py, Backend.store_result.
    """

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def store_result(self: Any, task_id: str, result: Any, state: str, *args: Any, **kwargs: Any) -> Any:
            own, started = task_id == recorder.invocation, state == "STARTED"
            if own:
                recorder.point(Point.BEFORE_STARTED if started else Point.BEFORE_RESULT, task_id, recorder.start)
            try:
                stored = original(self, task_id, result, state, *args, **kwargs)
            except BaseException as error:
                recorder.record(Kind.RESULT_FAILED, task_id, state=state, error=_said(error))
                raise
            recorder.record(Kind.RESULT_STORED, task_id, state=state)
            if own and not started:
                recorder.point(Point.AFTER_RESULT, task_id, recorder.start)
            return stored

        return store_result

    def tried(original: Callable[..., Any]) -> Callable[..., Any]:
        def _store_result(self: Any, task_id: str, result: Any, state: str, *args: Any, **kwargs: Any) -> Any:
            try:
                return original(self, task_id, result, state, *args, **kwargs)
            except Exception as error:
                recorder.record(Kind.RESULT_REFUSED, task_id, state=state, error=_said(error))
                raise

        return _store_result

    wrapping.wrap(backend, "store_result", make)
    if hasattr(backend, "_store_result"):  # rpc and disabled backends have none
        wrapping.wrap(backend, "_store_result", tried)


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
