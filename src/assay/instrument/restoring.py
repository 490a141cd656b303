"""kombu's Redis transport gives back messages that were not acknowledged in time."""

from collections.abc import Callable
from typing import Any

from assay.event import Kind
from assay.instrument import wrapping
from assay.recorder import Recorder


def record_restoring(recorder: Recorder) -> None:
    """kombu's look for messages past their visibility timeout: always at a worker's start, then at each nth call."""
    from kombu.transport.redis import QoS

    restored: list[str] = []

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
            restored.append(tag.decode() if isinstance(tag, bytes) else str(tag))
            return original(self, tag, *args, **kwargs)

        return restore_by_tag

    wrapping.wrap(QoS, "restore_visible", sweep)
    wrapping.wrap(QoS, "restore_by_tag", give_back)
