"""What main knows of an attempt: a child has accepted it, a time limit has passed."""

from collections.abc import Callable
from typing import Any

from assay.event import Kind, Point
from assay.instrument import wrapping
from assay.recorder import Recorder


def record_requests(recorder: Recorder) -> None:
    """An attempt that a child has accepted, one that has passed a limit, and one that ended its child."""
    from billiard.exceptions import Terminated
    from celery.worker.request import Request

    ends = (SystemExit, KeyboardInterrupt, Terminated)

    def on_accepted(original: Callable[..., Any]) -> Callable[..., Any]:
        def method(self: Any, pid: int, time_accepted: float) -> Any:
            recorder.record(Kind.ACCEPTED, self.id, self.task.name, child=pid)
            recorder.point(Point.ACCEPTED, self.id, -1)
            return original(self, pid, time_accepted)

        return method

    def on_timeout(original: Callable[..., Any]) -> Callable[..., Any]:
        def method(self: Any, soft: bool, timeout: float) -> Any:
            kind = Kind.SOFT_LIMIT if soft else Kind.HARD_LIMIT
            recorder.record(kind, self.id, self.task.name, limit_s=timeout, child=self.worker_pid)
            return original(self, soft, timeout)

        return method

    def on_failure(original: Callable[..., Any]) -> Callable[..., Any]:
        def method(self: Any, exc_info: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                return original(self, exc_info, *args, **kwargs)
            finally:
                told = getattr(exc_info, "exception", None)
                if isinstance(getattr(told, "exc", told), ends):  # billiard hands some on with their traceback
                    recorder.record(Kind.LOSS_HANDLED, self.id, self.task.name, child=self.worker_pid)

        return method

    wrapping.wrap(Request, "on_failure", on_failure)
    wrapping.wrap(Request, "on_accepted", on_accepted)
    wrapping.wrap(Request, "on_timeout", on_timeout)
