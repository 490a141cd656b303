"""The consumer's connection to the broker: lost and up again."""

from collections.abc import Callable
from typing import Any

from assay.event import Kind
from assay.instrument import wrapping
from assay.recorder import Recorder


def record_connection(recorder: Recorder) -> None:
    """Each loss of it, and when the worker consumes again."""
    from celery.worker.consumer.consumer import Consumer, Evloop

    def lost(original: Callable[..., Any]) -> Callable[..., Any]:
        def method(self: Any, error: BaseException) -> Any:
            recorder.record(Kind.CONNECTION_LOST, error=f"{type(error).__name__}: {error}")
            return original(self, error)

        return method

    def up(original: Callable[..., Any]) -> Callable[..., Any]:
        def start(self: Any, consumer: Any) -> Any:
            recorder.record(Kind.CONNECTION_UP)
            return original(self, consumer)

        return start

    for name in ("on_connection_error_before_connected", "on_connection_error_after_connected"):
        wrapping.wrap(Consumer, name, lost)
    wrapping.wrap(Evloop, "start", up)
