"""Read or follow a run's events, in clock order.

Each process writes a file of its own (`<folder>/events/<pid>-<n>.jsonl`): shared files were measured to lose other
processes' lines under SIGKILL. A last line without its newline was torn by a kill; it is skipped and counted.
"""

import heapq
from collections.abc import Iterator
from pathlib import Path

import msgspec

from assay.errors import UsageError
from assay.event import Event, Kind, decode


class History:
    """The events of one cluster's folder, in clock order. Iterating reads the files anew, holding a line of each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.torn = 0

    def __iter__(self) -> Iterator[Event]:
        self.torn = 0
        files = sorted((self.folder / "events").glob("*.jsonl"))
        return heapq.merge(*(self._read(path) for path in files), key=lambda event: event.at_ns)

    def _read(self, path: Path) -> Iterator[Event]:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.endswith(b"\n"):
                    self.torn += 1
                    return
                try:
                    yield decode(line)
                except msgspec.MsgspecError as error:
                    raise UsageError(f"{path}:{number} is not an event of this version of Assay: {error}") from None


class Follower:
    """Reads what was appended since the last call, over all files of the folder. Not ordered between files."""

    def __init__(self, folder: Path) -> None:
        self._events = folder / "events"
        self._files: dict[Path, int] = {}
        self._open: dict[Path, object] = {}
        self.seen: list[Event] = []

    def advance(self) -> list[Event]:
        """New events since the last call, in each file's order; an unfinished line is left for the next call."""
        new: list[Event] = []
        for path in self._events.iterdir():
            offset = self._files.get(path, 0)
            with path.open("rb") as file:
                file.seek(offset)
                data = file.read()
            end = data.rfind(b"\n") + 1
            if end:
                self._files[path] = offset + end
                new.extend(decode(line) for line in data[:end].splitlines())
        new.sort(key=lambda event: event.at_ns)
        self.seen.extend(new)
        return new


def of_kind(events: list[Event], *kinds: Kind) -> list[Event]:
    """The events of these kinds, in the given order."""
    return [event for event in events if event.kind in kinds]
