"""Clocks of other machines, set against the harness's by what both reach: a server's clock, or a file system's. Pure.

Each side notes what its own monotonic clock shows when the shared one shows something; neither waits for the other.
"""

from typing import NamedTuple

import msgspec

SAME_NS = 1_000_000  # two readings of one clock that differ by less, beyond what is not known of them, are of one clock


class Reading(NamedTuple):
    """The shared clock less the own one, and how far from it the truth may be; nanoseconds."""

    ahead_ns: int
    error_ns: int


class Offset(msgspec.Struct, frozen=True, array_like=True):
    """Added to what a clock shows it is the harness's time, to `error_ns` in either direction."""

    offset_ns: int = 0
    error_ns: int = 0


def best(readings: list[Reading]) -> Reading:
    """The one that took least time."""
    return min(readings, key=lambda each: each.error_ns)


class Clocks:
    """An offset for each clock, fixed by its first reading, so that its own events keep their order.

    What later readings say otherwise (two clocks that drift apart, a shared one that was set) is added to its error.
    """

    def __init__(self) -> None:
        self.known: dict[str, Offset] = {}

    def read(self, clock: str, theirs: Reading, ours: Reading, *, same: bool = False) -> Offset:
        """`same`: the kernel says that it is the harness's own; a reading that says otherwise (faked) is believed."""
        measured = theirs.ahead_ns - ours.ahead_ns
        error = theirs.error_ns + ours.error_ns
        if same and abs(measured) <= error + SAME_NS:
            measured = error = 0
        before = self.known.get(clock)
        if before is not None:
            apart = abs(measured - before.offset_ns)
            measured, error = before.offset_ns, max(before.error_ns, apart + error if apart else 0)
        self.known[clock] = Offset(measured, error)
        return self.known[clock]


def told(offsets: dict[str, Offset]) -> str:
    """For the report: how far the clocks of these machines are from the harness's, and how well that is known."""
    ahead = sorted({f"{-offset.offset_ns / 1e9:+.3f} s": -offset.offset_ns for offset in offsets.values()}.items())
    error_ms = max(offset.error_ns for offset in offsets.values()) / 1e6
    if not error_ms and all(not each for _, each in ahead):
        return "the workers' clock is this machine's"
    far = " to ".join(dict.fromkeys([min(ahead, key=_second)[0], max(ahead, key=_second)[0]]))
    return (
        f"the workers' clocks are {far} from this machine's, known to {error_ms:.2g} ms: what is nearer to each other "
        "is judged in either order"
    )


def _second(pair: tuple[str, int]) -> int:
    return pair[1]
