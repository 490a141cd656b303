"""The consumer's connection to the broker: lost, given up, and up again; and what ends the consumer itself."""

from collections.abc import Callable
from typing import Any

from assay.event import Kind
from assay.instrument import wrapping
from assay.recorder import Recorder


def record_connection(recorder: Recorder) -> None:
    """Each loss of it, before the worker does anything about it, and after; and when the worker consumes again.

    Source: celery/worker/consumer/consumer.py, Consumer.start: what its blueprint raises decides whether it connects
    again, after `on_close` has given up what the old connection had delivered, or ends.
    """
    from celery.worker.consumer.consumer import Consumer, Evloop
    from celery.worker.consumer.mingle import Mingle

    def lost(original: Callable[..., Any]) -> Callable[..., Any]:
        def start(self: Any, parent: Any) -> Any:
            try:
                return original(self, parent)
            except (*parent.connection_errors, *parent.channel_errors) as error:
                recorder.record(Kind.CONNECTION_LOST, error=_said(error))
                raise

        return start

    def done(kind: Kind) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def make(original: Callable[..., Any]) -> Callable[..., Any]:
            def act(self: Any) -> Any:
                result = original(self)
                recorder.record(kind)
                return result

            return act

        return make

    def ended(original: Callable[..., Any]) -> Callable[..., Any]:
        def start(self: Any) -> Any:
            try:
                return original(self)
            except BaseException as error:
                recorder.record(Kind.CONSUMER_ENDED, error=_said(error))
                raise

        return start

    def up(original: Callable[..., Any]) -> Callable[..., Any]:
        def start(self: Any, consumer: Any) -> Any:
            recorder.record(Kind.CONNECTION_UP)
            return original(self, consumer)

        return start

    def mingled(original: Callable[..., Any]) -> Callable[..., Any]:
        def send_hello(self: Any, consumer: Any) -> Any:
            replies = original(self, consumer)
            recorder.record(Kind.MINGLED, replies=len(replies or ()))
            return replies

        return send_hello

    wrapping.wrap(Mingle, "send_hello", mingled)
    wrapping.wrap(Consumer.Blueprint, "start", lost)
    wrapping.wrap(Consumer, "on_close", done(Kind.CONNECTION_CLOSED))
    wrapping.wrap(Consumer, "start", ended)
    wrapping.wrap(Consumer, "stop", done(Kind.CONSUMER_STOPPED))
    wrapping.wrap(Evloop, "start", up)


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
