"""The only sleep in the package: wait until a condition holds, or a deadline passes."""

import time
from collections.abc import Callable
from typing import TypeVar

from assay.errors import HarnessError

T = TypeVar("T")


def wait_until(condition: Callable[[], T], *, what: str, timeout_s: float = 10.0, poll_s: float = 0.005) -> T:
    """Return the first truthy value of `condition`, asked every `poll_s` seconds; raise HarnessError after `timeout_s`.

    Where an event can be waited for (a socket, a bell, a pidfd) wait for that instead.
    """
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() >= deadline:
            raise HarnessError(f"waited {timeout_s:g} s for {what}, which did not happen")
        time.sleep(poll_s)
    return value


def work(duration_s: float) -> None:
    """What a hollow body does for `duration_s`: interruptible by signals, as most real bodies are."""
    if duration_s > 0:
        time.sleep(duration_s)
