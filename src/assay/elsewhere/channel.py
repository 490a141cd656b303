"""What both sides reach, a Redis or a folder: the worker's end of it, and the harness's.

A line is sent before what it tells of goes on, so that whatever ends a worker (its container, its whole machine) takes
no event with it. Each has a number of its process's own: one that was sent twice is told apart, one that is missing is
missed.
"""

from collections.abc import Iterable
from typing import Protocol

from assay.elsewhere.clocks import Reading

TROUBLE = b"!"  # in the place of a number: the recorder could not begin, and this is why
HOLD_S = 120.0  # that an attempt stands at a crash point with nobody to let it go
AWAY_S = 30.0  # that a worker waits for the channel to come back before it gives up
READINGS = 3


class There(Protocol):
    """The worker's end. Safe between threads and in signal handlers: each call has a connection of its own."""

    def boot(self, worker: str) -> bytes:
        """What the worker is told. Raises ValueError where it is told nothing: the run is over, or never was."""

    def forked(self) -> None:
        """This is another process than before: nothing of the former's is used."""

    def send(self, line: bytes) -> None:
        """Returns when the other side can read it. Raises OSError where that is not so for AWAY_S."""

    def script(self, invocation: str) -> bytes | None: ...

    def count(self, name: str) -> int:
        """How often anybody has counted this before."""

    def hold(self, token: str) -> None:
        """Until the harness lets go."""

    def clock(self) -> Reading:
        """The shared clock, read once."""


class Here(Protocol):
    """The harness's end. `shown` is fit to be printed."""

    shown: str

    def give_boot(self, worker: str, boot: bytes) -> None: ...

    def give_script(self, invocation: str, script: bytes) -> None: ...

    def forget(self, invocation: str) -> None:
        """Nothing of it is kept any more."""

    def take(self, timeout_s: float) -> Iterable[bytes]:
        """Lines that were not taken yet; waits for the first one."""

    def release(self, token: str) -> None: ...

    def clock(self) -> Reading: ...

    def close(self) -> None:
        """Remove all that the run has left there."""


def there(place: str, prefix: str) -> There:
    """The worker's end of an address."""
    if "://" in place:
        from assay.elsewhere.by_redis import RedisThere

        return RedisThere(place, prefix)
    from assay.elsewhere.by_folder import FolderThere

    return FolderThere(place, prefix)
