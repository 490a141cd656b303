"""The consumer's connection to the broker: lost and up again."""

from collections.abc import Callable
from typing import Any

from assay.event import Kind
from assay.instrument import wrapping
from assay.recorder import Recorder


def record_connection(recorder: Recorder) -> None:
    """Each loss of it, before the worker does anything about it, and when the worker consumes again.

    Source: celery/worker/consumer/consumer.py, Consumer.start: what its blueprint raises decides whether it connects
    again or ends.
    """
    from celery.worker.consumer.consumer import Consumer, Evloop

    def lost(original: Callable[..., Any]) -> Callable[..., Any]:
        def start(self: Any, parent: Any) -> Any:
            try:
                return original(self, parent)
            except (*parent.connection_errors, *parent.channel_errors) as error:
                recorder.record(Kind.CONNECTION_LOST, error=f"{type(error).__name__}: {error}")
                raise

        return start

    def up(original: Callable[..., Any]) -> Callable[..., Any]:
        def start(self: Any, consumer: Any) -> Any:
            recorder.record(Kind.CONNECTION_UP)
            return original(self, consumer)

        return start

    wrapping.wrap(Consumer.Blueprint, "start", lost)
    wrapping.wrap(Evloop, "start", up)
