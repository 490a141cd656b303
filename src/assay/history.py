"""Read or follow a run's events, in clock order.

Each process writes files of its own (`<folder>/events/<pid>-<n>.jsonl`): shared files were measured to lose other
processes' lines under SIGKILL. A last line without its newline was torn by a kill; it is skipped and counted. NULs at
the end of a file are room that was not reached.
"""

import heapq
import math
import os
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from io import FileIO
from itertools import chain
from operator import attrgetter
from pathlib import Path

import msgspec

from assay.errors import UsageError
from assay.event import Event, decode
from assay.inventory import Extent, Inventory, must_hold
from assay.tape import ends, whole

CHUNK = 16 * 1024  # bytes of a file at a time: about a hundred events
LOOK_S = 1.0  # between two looks at which processes are gone: their files are read no more
DAMAGED = (msgspec.MsgspecError, UnicodeDecodeError)

_decode_lines = msgspec.json.Decoder(Event).decode_lines
_clock = attrgetter("at_ns")


class History:
    """The events of one cluster's folder, in clock order; of the same instant, in the order of the files' names.

    Iterating reads the files anew, holding a chunk of each whose time it is: pool children that follow each other are
    not open at once. Where something of what is `due` is not there, the end of it raises UsageError.
    """

    def __init__(self, folder: Path, due: Inventory | None = None) -> None:
        self.folder = folder
        self.torn = 0
        self.inventory: Inventory = {}  # of what was read the last time, to its end
        self._due = due or {}

    def __iter__(self) -> Iterator[Event]:
        self.torn = 0
        self.inventory = {}
        return chain.from_iterable(self._blocks())

    def _blocks(self) -> Iterator[list[Event]]:
        """Sorted lists that follow each other: to sort many events at once is cheaper than a heap's step for each."""
        files = [_File(path) for path in sorted((self.folder / "events").glob("*.jsonl"))]
        self.torn += sum(file.begin() for file in files)
        unread = [(file.until, number) for number, file in enumerate(files) if file.until < math.inf]
        heapq.heapify(unread)
        holding: set[int] = set()
        try:
            while unread or holding:
                until = unread[0][0] if unread else math.inf
                block: list[Event] = []
                for number in sorted(holding):
                    block += files[number].give(until)
                block.sort(key=_clock)  # stable: in the files' order where the instant is the same
                yield block
                holding = {number for number in holding if files[number].held}
                while unread and unread[0][0] <= until:
                    _, number = heapq.heappop(unread)
                    self.torn += files[number].read()
                    holding.add(number)
                    if files[number].until < math.inf:
                        heapq.heappush(unread, (files[number].until, number))
            self.inventory = {file.path.name: file.extent for file in files if file.extent.size}
            must_hold(self.folder / "events", self._due, self.inventory)
        finally:
            for file in files:
                file.close()


class _File:
    """One process's file. `held`: events that were read and not yet given on; the unread ones are from `until` on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.held: list[Event] = []
        self.until = math.inf
        self.extent = Extent()  # of the complete lines that were read
        self._open: FileIO | None = None
        self._rest = b""

    def begin(self) -> bool:
        """Find out when its first event was. True where even that one is torn."""
        try:
            with self.path.open("rb") as file:
                data = file.readline()
                if b"\0" in data and not ends(data + file.read()):
                    raise self._damaged()
        except OSError as error:
            raise UsageError(f"{self.path} cannot be read: {error.strerror}") from None
        line, rest = whole(data)
        if not line:
            return bool(rest)
        first = self._decode(line)
        if not first:
            raise self._damaged()
        self.until = first[0].at_ns
        return False

    def read(self) -> bool:
        """Hold some more. True where that was the end of the file, and torn."""
        self._open = self._open or FileIO(self.path)
        data = self._open.read(CHUNK)
        if b"\0" in data:
            data += self._open.read()
            if not ends(data):
                raise self._damaged()
        lines, self._rest = whole(self._rest + data)
        self.extent = self.extent.plus(lines)
        self.held += self._decode(lines)
        if len(data) == CHUNK and data[-1]:
            self.until = self.held[-1].at_ns if self.held else self.until
            return False
        self.close()
        self.until = math.inf
        return bool(self._rest)

    def give(self, until: float) -> list[Event]:
        """Hand over what was before."""
        number = bisect_left(self.held, until, key=_clock)
        given, self.held = self.held[:number], self.held[number:]
        return given

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _decode(self, lines: bytes) -> list[Event]:
        try:
            return _decode_lines(lines)
        except DAMAGED:
            raise self._damaged() from None

    def _damaged(self) -> UsageError:
        """Which line it is: looked for only now."""
        with self.path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    decode(line)
                except DAMAGED as error:
                    where = f"{self.path}:{number}"
                    return UsageError(f"{where} is not an event of this version of Assay: {error}")
        return UsageError(f"{self.path} is damaged")


class Follower:
    """Reads what was appended since the last call, over all files of the folder. Not ordered between files.

    `seen` holds what it has read, or of that what `keeps` says.
    """

    def __init__(self, folder: Path, keeps: Callable[[Event], bool] | None = None) -> None:
        self._events = folder / "events"
        self._files: dict[str, int] = {}
        self._ended: dict[str, bool] = {}  # of a process that is gone: whether all of it is read
        self._looked = 0.0
        self._keeps = keeps
        self.seen: list[Event] = []

    def advance(self) -> list[Event]:
        """New events since the last call, in each file's order; an unfinished line is left for the next call."""
        new: list[Event] = []
        names = [name for name in os.listdir(self._events) if not self._ended.get(name)]
        look = time.monotonic() - self._looked > LOOK_S
        writing = _last_ones(names) if look else set()
        for name in names:
            before = len(new)
            while lines := self._more(name):
                new += _decode_lines(lines)
            pid = name.partition("-")[0]
            if name in self._ended:
                self._ended[name] = len(new) == before
            elif look and pid.isdigit() and (name not in writing or not os.path.exists(f"/proc/{pid}")):
                self._ended[name] = False  # once more: it may have written after it was read just now
        self._looked = time.monotonic() if look else self._looked
        new.sort(key=_clock)
        self.seen += filter(self._keeps, new) if self._keeps else new
        return new

    def forget(self, worker: str) -> None:
        """Hold nothing that this worker has recorded, or that was recorded of it."""
        self.seen = [event for event in self.seen if event.worker != worker]

    def _more(self, name: str) -> bytes:
        """Complete lines that were not given yet, about CHUNK bytes at a time."""
        offset, size = self._files.get(name, 0), CHUNK
        with FileIO(self._events / name) as file:
            while True:
                file.seek(offset)
                data = file.read(size)
                lines, _ = whole(data)
                if lines or len(data) < size or not data[-1]:
                    self._files[name] = offset + len(lines)
                    return lines
                size *= 2  # one long line


def _last_ones(names: list[str]) -> set[str]:
    """The last two files of each process: it writes to the last, or still to the one before where a signal came."""
    files: dict[str, list[str]] = {}
    for name in sorted(names, key=lambda name: int(name.partition("-")[2].partition(".")[0])):  # when it was begun
        files.setdefault(name.partition("-")[0], []).append(name)
    return {name for each in files.values() for name in each[-2:]}
