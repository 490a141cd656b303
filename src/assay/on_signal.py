"""A signal's handler for a while, and the one before it again."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def on_signal(number: signal.Signals, handler: Callable[[int, object], None]) -> Iterator[None]:
    """Outside the main thread, where Python sets none, nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)
