"""What is known of the machines that a run's workers were on, kept with it; and judging by clocks that differ. Pure.

A history is put in order by offsets that are known to an error. What is judged otherwise once a machine's events come
as much earlier or later than that depends on an order that nobody has seen.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from assay import kept
from assay.elsewhere.clocks import Offset
from assay.event import Event

NAME = "elsewhere.json"


class Elsewhere(msgspec.Struct, frozen=True):
    """`offsets` by the machines' names in events; `doubts`: why what was recorded may not be all that happened."""

    offsets: dict[str, Offset] = {}
    doubts: list[str] = []

    def shifts(self) -> Iterator[dict[str, int]]:
        """Each machine as early, and as late, as its clock's error allows, all others the other way."""
        errors = {host: offset.error_ns for host, offset in self.offsets.items() if offset.error_ns}
        for host in errors:
            for sign in (1, -1):
                yield {other: sign * error if other == host else -sign * error for other, error in errors.items()}


def keep(folder: Path, offsets: dict[str, Offset], doubts: list[str]) -> None:
    """Into the folder of the run's events."""
    kept.keep(msgspec.json.encode(Elsewhere(offsets, doubts)), folder / NAME)


def read(folder: Path) -> Elsewhere:
    """Of a run whose workers were its own there is none, and nothing to doubt."""
    path = folder / NAME
    return kept.kept(path, Elsewhere, "a run folder") if path.exists() else Elsewhere()


def shifted(events: Iterable[Event], by_ns: dict[str, int]) -> list[Event]:
    """In the order that they would have had."""
    moved = [
        msgspec.structs.replace(event, at_ns=event.at_ns + by_ns[event.host]) if event.host in by_ns else event
        for event in events
    ]
    return sorted(moved, key=lambda event: event.at_ns)
