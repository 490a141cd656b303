"""What the result backend is given to store."""

from collections.abc import Callable
from typing import Any

from assay.event import Kind, Point
from assay.instrument import wrapping
from assay.recorder import Recorder


def record_results(backend: type, recorder: Recorder) -> None:
    """Record each result that this class of backend stores, and stop at the crash points around it."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def store_result(self: Any, task_id: str, result: Any, state: str, *args: Any, **kwargs: Any) -> Any:
            own = task_id == recorder.invocation and state != "STARTED"
            if own:
                recorder.point(Point.BEFORE_RESULT, task_id, recorder.start)
            try:
                stored = original(self, task_id, result, state, *args, **kwargs)
            except BaseException as error:
                recorder.record(Kind.RESULT_FAILED, task_id, state=state, error=f"{type(error).__name__}: {error}")
                raise
            recorder.record(Kind.RESULT_STORED, task_id, state=state)
            if own:
                recorder.point(Point.AFTER_RESULT, task_id, recorder.start)
            return stored

        return store_result

    wrapping.wrap(backend, "store_result", make)
