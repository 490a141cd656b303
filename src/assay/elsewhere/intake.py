"""What workers elsewhere send becomes events of the run: on the harness's clock, with pids that no other machine has.

One thread takes lines, and writes a file for each of their processes where the run's other events are.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from assay.bell import BELL, Ringer
from assay.elsewhere import host
from assay.elsewhere.channel import READINGS, TROUBLE, Here
from assay.elsewhere.clocks import Clocks, Offset, Reading, best
from assay.errors import HarnessError
from assay.event import PIDS, Event, Kind, decode, encode

TAKE_S = 0.2
PID_KEYS = ("child", "pid", "target")
CLOCK_KEYS = ("asked_at_ns",)


class Numbers:
    """Of the lines of one process: all up to one, and some beyond it."""

    def __init__(self) -> None:
        self._upto = 0
        self.beyond: set[int] = set()

    def came(self, number: int) -> bool:
        """False where it had come before."""
        if number <= self._upto or number in self.beyond:
            return False
        self.beyond.add(number)
        while self._upto + 1 in self.beyond:
            self._upto += 1
            self.beyond.remove(self._upto)
        return True


class Placing:
    """Each event put on the harness's clock, and its pids beyond all of this machine's. Pure but for `ours`.

    A worker has a range of pids of its own: a pid namespace's number, and every pid in it, comes again when it is gone.
    """

    def __init__(self, here: str, ours: Callable[[], Reading]) -> None:
        self._here = here
        self._ours = ours
        self._clocks = Clocks()
        self._ranges: dict[str, int] = {}  # worker -> before its pids
        self._numbers: defaultdict[tuple[str, int], Numbers] = defaultdict(Numbers)  # (worker, pid) -> its lines
        self.hosts: dict[str, str] = {}  # identity -> name in events
        self._clock_of: dict[str, str] = {}  # name in events -> clock

    def place(self, number: int, event: Event) -> Event | None:
        """None for a line that came before."""
        if not self._numbers[event.worker, event.pid].came(number):
            return None
        clock = host.clock(event.host) or f"{event.worker} {event.host}"
        if event.kind is Kind.CLOCK:
            theirs = Reading(int(event.detail["ahead_ns"]), int(event.detail["error_ns"]))
            same = clock == host.clock(self._here)
            self._clocks.read(clock, theirs, self._ours(), same=same)
        if clock not in self._clocks.known:
            raise HarnessError(f"{event.worker} sent events before it has told what its clock shows")
        offset_ns = self._clocks.known[clock].offset_ns
        before = self._ranges.setdefault(event.worker, (len(self._ranges) + 1) * PIDS)
        detail: dict[str, Any] = dict(event.detail)
        detail |= {key: detail[key] + before for key in PID_KEYS if isinstance(detail.get(key), int)}
        detail |= {key: detail[key] + offset_ns for key in CLOCK_KEYS if isinstance(detail.get(key), int)}
        _, dash, attempt = event.attempt.partition("-")
        return msgspec.structs.replace(
            event,
            at_ns=event.at_ns + offset_ns,
            pid=event.pid + before,
            attempt=f"{event.pid + before}{dash}{attempt}" if dash else event.attempt,
            detail=detail,
            host=self._name(event.host, clock),
        )

    def _name(self, identity: str, clock: str) -> str:
        if identity not in self.hosts:
            name, same = host.name(identity), sum(host.name(each) == host.name(identity) for each in self.hosts)
            self.hosts[identity] = f"{name}#{same + 1}" if same else name
        name = self.hosts[identity]
        self._clock_of[name] = clock
        return name

    def offsets(self) -> dict[str, Offset]:
        """For each machine's name in events."""
        return {name: self._clocks.known[clock] for name, clock in list(self._clock_of.items())}

    def missing(self) -> list[str]:
        """Workers of which a line did not come that came after another one was sent."""
        return sorted({worker for (worker, _), numbers in self._numbers.items() if numbers.beyond})


class Intake:
    """Takes until it is closed. What goes wrong meanwhile is told by `check`."""

    def __init__(self, channel: Here, folder: Path) -> None:
        self._channel = channel
        self._folder = folder
        self._files: dict[int, Path] = {}
        self._error = ""
        self._ended = threading.Event()
        self.troubles: list[str] = []  # recorders that could not begin, and why
        self.placing = Placing(host.identity(), lambda: best([channel.clock() for _ in range(READINGS)]))
        self._ringer = Ringer(folder / BELL)
        self._thread = threading.Thread(target=self._run, name="assay-intake", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._ended.is_set():
                self._take(TAKE_S)
        except Exception as error:
            self._error = str(error) or type(error).__name__
            self._ringer.ring()

    def _take(self, timeout_s: float) -> None:
        lines = list(self._channel.take(timeout_s))
        events: defaultdict[int, list[Event]] = defaultdict(list)
        for line in lines:
            number, _, said = line.partition(b" ")
            if number == TROUBLE:
                self.troubles.append(said.decode(errors="replace"))
                continue
            try:
                event = self.placing.place(int(number), decode(said))
            except (ValueError, msgspec.MsgspecError) as error:
                raise HarnessError(f"a recorder sent what is no event of this version of Assay: {error}") from None
            if event is not None:
                events[event.pid].append(event)
        for pid, theirs in events.items():
            with self._file(pid).open("ab") as file:  # not kept open: a long run has thousands of pool children
                file.write(_lines(theirs))
        if lines:
            self._ringer.ring()

    def _file(self, pid: int) -> Path:
        number = len(self._files) + 1
        return self._files.setdefault(pid, self._folder / "events" / f"elsewhere{number}-{pid}.jsonl")

    def check(self) -> None:
        """Raises HarnessError where no line is taken any more."""
        if self._error:
            raise HarnessError(self._error)

    def close(self) -> None:
        """Take what is there, then put each file into the order of its clock: threads may have overtaken each other."""
        self._ended.set()
        self._thread.join()
        try:
            if not self._error:
                self._take(0.01)
        finally:
            for path in self._files.values():
                path.write_bytes(_lines(map(decode, path.read_bytes().splitlines())))


def _lines(events: Iterable[Event]) -> bytes:
    """In the order of their clock."""
    return b"".join(encode(event) + b"\n" for event in sorted(events, key=lambda event: event.at_ns))
