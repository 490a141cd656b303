"""Runs inside the worker under test: this process's own append-only event file. Imports `event` only.

One `os.write` of a whole line to a file that no other process writes: whatever kills the process, at most its own last
line is torn. After a fork the child opens a file of its own.
"""

import contextlib
import os
import threading
from collections.abc import Callable
from itertools import count
from time import monotonic_ns
from typing import Any

from assay.event import Event, Kind, Point, encode


class Recorder:
    """`folder` is where the event files go; `worker` is the harness's name of this worker ("" for a client)."""

    def __init__(self, folder: str, worker: str) -> None:
        self.folder = folder
        self.worker = worker
        self._fd = -1
        self._pid = 0
        self._numbers = count(1)
        self._attempts = threading.local()
        #: of the message that is being published in this process: its unscaled countdown, and the factor of the scale
        self.countdown_s: float | None = None
        self.asked_at_ns: int | None = None  # when its time was set
        self.countdown_scale = 1.0
        #: called at each crash point with (point, invocation, start); set by whoever can hold an attempt there
        #: where start is -1 for "not known here"
        self.at_point: Callable[[Point, str, int], None] = lambda point, invocation, start: None
        self._own()

    def _own(self) -> int:
        """This process's pid; after a fork, forget the parent's file."""
        pid = os.getpid()
        if pid != self._pid:
            self._fd = -1
            self._pid = pid
            self._numbers = count(1)
        return pid

    def record(self, kind: Kind, invocation: str = "", task: str = "", **detail: Any) -> None:
        """Append one event. Inside an attempt its token goes along, unless the event is of another invocation."""
        attempt = self.attempt if self.invocation == invocation else ""
        pid = self._own()
        line = encode(Event(monotonic_ns(), kind, pid, self.worker, invocation, task, attempt, detail)) + b"\n"
        if self._fd < 0:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._fd = os.open(f"{self.folder}/{pid}-{monotonic_ns()}.jsonl", flags, 0o644)
        os.write(self._fd, line)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def point(self, point: Point, invocation: str, start: int = -1) -> None:
        self.at_point(point, invocation, start)

    @property
    def invocation(self) -> str:
        """Of the attempt that runs in this thread; empty outside of one."""
        return getattr(self._attempts, "invocation", "")

    @property
    def attempt(self) -> str:
        return getattr(self._attempts, "token", "")

    @property
    def start(self) -> int:
        """Which start of its invocation this attempt is, over all processes: 0 is the first."""
        return getattr(self._attempts, "start", 0)

    def begin(self, invocation: str) -> None:
        """An attempt begins in this thread."""
        self._attempts.invocation = invocation
        self._attempts.token = f"{self._own()}-{next(self._numbers)}"
        self._attempts.start = self._count_start(invocation)

    def finish(self) -> None:
        self._attempts.invocation = ""
        self._attempts.token = ""

    def _count_start(self, invocation: str) -> int:
        """Only invocations with a script are counted: a byte for each start, appended, so that kills lose none."""
        path = f"{self.folder}/../starts/{invocation}"
        with contextlib.suppress(FileNotFoundError):
            fd = os.open(path, os.O_WRONLY | os.O_APPEND)
            try:
                os.write(fd, b".")
                return os.lseek(fd, 0, os.SEEK_CUR) - 1
            finally:
                os.close(fd)
        return 0
