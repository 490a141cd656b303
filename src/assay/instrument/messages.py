"""Messages of tasks: delivered to a worker, acknowledged, rejected."""

from collections.abc import Callable
from typing import Any

from celery import Celery

from assay.event import Kind, Point
from assay.instrument import wrapping
from assay.recorder import Recorder


def task_id(message: Any) -> str:
    """The task's id where the message is one of a task (protocol 2 has it in the headers, both as correlation id)."""
    headers = message.headers or {}
    if "task" in headers:
        return str(headers.get("id", ""))
    body_is_task = "task" in (message.properties or {}) or getattr(message, "_assay_task", False)
    return str((message.properties or {}).get("correlation_id", "")) if body_is_task else ""


def record_messages(app: Celery, recorder: Recorder) -> None:
    """Each delivery, acknowledgement and rejection of a task's message, with the crash points around them."""
    from kombu.message import Message
    from kombu.messaging import Consumer
    from kombu.transport.virtual.base import Channel as VirtualChannel
    from kombu.transport.virtual.base import Transport

    delivering: list[str] = [""]

    def deliver(original: Callable[..., Any]) -> Callable[..., Any]:
        def _deliver(self: Any, message: Any, queue: str) -> Any:
            delivering[0] = queue
            try:
                return original(self, message, queue)
            finally:
                delivering[0] = ""

        return _deliver

    def receive(original: Callable[..., Any]) -> Callable[..., Any]:
        def _receive_callback(self: Any, message: Any) -> Any:
            convert = getattr(self.channel, "message_to_python", None)
            # amqp: what arrives has no headers attribute of kombu's kind yet; converting twice is harmless there.
            # A virtual transport takes what is converted already.
            probe = convert(message) if convert is not None else message
            if isinstance(self.channel, VirtualChannel):
                message = probe
            _mark_protocol_1(probe)
            invocation = task_id(probe)
            if invocation:
                info = probe.delivery_info or {}
                queue = delivering[0] or _consumed(self, info.get("consumer_tag")) or info.get("routing_key", "")
                recorder.record(
                    Kind.RECEIVED,
                    invocation,
                    str((probe.headers or {}).get("task", "")),
                    queue=queue,
                    redelivered=bool(info.get("redelivered")),
                    tag=str(probe.delivery_tag),
                )
                recorder.point(Point.RECEIVED, invocation, -1)
            return original(self, message)

        return _receive_callback

    def settle(
        kind: Kind, before: Point | None, after: Point | None, *, requeues: bool = False
    ) -> Callable[..., Callable[..., Any]]:
        def make(original: Callable[..., Any]) -> Callable[..., Any]:
            def method(self: Any, *args: Any, **kwargs: Any) -> Any:
                invocation = task_id(self)
                if not invocation:
                    return original(self, *args, **kwargs)
                task = app.tasks.get(str((self.headers or {}).get("task", "")))
                late = bool(getattr(task, "acks_late", False))
                if before and late:
                    recorder.point(before, invocation, -1)
                try:
                    result = original(self, *args, **kwargs)
                except BaseException as error:
                    recorder.record(Kind.ACK_FAILED, invocation, error=f"{type(error).__name__}: {error}")
                    raise
                if kind is Kind.REJECTED:
                    asked = kwargs.get("requeue", bool(args and args[0]))
                    recorder.record(kind, invocation, requeue=requeues or bool(asked))
                else:
                    recorder.record(kind, invocation)
                if after:
                    recorder.point(after if late else Point.EARLY_ACKED, invocation, -1)
                return result

            return method

        return make

    wrapping.wrap(Transport, "_deliver", deliver)
    wrapping.wrap(Consumer, "_receive_callback", receive)
    wrapping.wrap(Message, "ack", settle(Kind.ACKED, Point.BEFORE_ACK, Point.AFTER_ACK))
    wrapping.wrap(Message, "reject", settle(Kind.REJECTED, None, None))
    wrapping.wrap(Message, "requeue", settle(Kind.REJECTED, None, None, requeues=True))


def _consumed(consumer: Any, tag: str | None) -> str:
    """The queue that this consumer tag is of."""
    return next((str(queue) for queue, own in consumer._active_tags.items() if own == tag), "")


def _mark_protocol_1(message: Any) -> None:
    """Protocol 1 has the task's name and id in the body alone; its correlation id is the task's id."""
    if "task" not in (message.headers or {}) and (message.properties or {}).get("correlation_id"):
        payload = message.payload if not message.errors else None
        message._assay_task = isinstance(payload, dict) and "task" in payload
