"""kombu's Redis transport gives back messages: those not acknowledged in time, and its own where it ends in order."""

from collections.abc import Callable
from typing import Any

from assay.event import Kind
from assay.instrument import wrapping
from assay.recorder import Recorder


def record_restoring(recorder: Recorder) -> None:
    """kombu's look for messages past their visibility timeout: always at a worker's start, then at each nth call.

    And each message that a worker still has when its channel is closed.
    """
    from kombu.transport.redis import Channel, QoS

    restored: list[str] = []
    moved: list[bool] = []  # whether there was something to give back: another worker may have done so before

    def put(original: Callable[..., Any]) -> Callable[..., Any]:
        def _do_restore_message(self: Any, *args: Any, **kwargs: Any) -> Any:
            moved.append(True)
            return original(self, *args, **kwargs)

        return _do_restore_message

    def sweep(original: Callable[..., Any]) -> Callable[..., Any]:
        def restore_visible(self: Any, *args: Any, **kwargs: Any) -> Any:
            restored.clear()
            result = original(self, *args, **kwargs)
            if restored or self._vrestore_count == 1:
                recorder.record(Kind.SWEPT, restored=len(restored), tags=list(restored))
            return result

        return restore_visible

    def give_back(original: Callable[..., Any]) -> Callable[..., Any]:
        def restore_by_tag(self: Any, tag: Any, *args: Any, **kwargs: Any) -> Any:
            moved.clear()
            result = original(self, tag, *args, **kwargs)
            if moved:
                restored.append(tag.decode() if isinstance(tag, bytes) else str(tag))
            return result

        return restore_by_tag

    def end(original: Callable[..., Any]) -> Callable[..., Any]:
        def restore_unacked(self: Any, *args: Any, **kwargs: Any) -> Any:
            restored.clear()
            messages = {str(tag): message.headers for tag, message in self._delivered.items()}
            try:
                return original(self, *args, **kwargs)
            finally:
                for headers in filter(None, map(messages.get, restored)):
                    recorder.record(Kind.GIVEN_BACK, str(headers.get("id", "")), str(headers.get("task", "")))

        return restore_unacked

    wrapping.wrap(Channel, "_do_restore_message", put)
    wrapping.wrap(QoS, "restore_visible", sweep)
    wrapping.wrap(QoS, "restore_by_tag", give_back)
    wrapping.wrap(QoS, "restore_unacked", end)
