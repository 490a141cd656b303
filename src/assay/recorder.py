"""Runs inside the worker under test: this process's own append-only event files. Imports `event` and `tape` only.

No other process writes to them: whatever kills the process, at most its own last line is torn. After a fork the child
opens a file of its own.

A worker that others start has it by `-I assay.recorder`: see the end of the module.
"""

import contextlib
import fcntl
import os
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import count
from time import monotonic_ns
from typing import Any

from assay.event import Event, Kind, Point, encode
from assay.tape import Tape


class Attempts(threading.local):
    """The attempt that runs in this thread; empty outside of one."""

    invocation = ""
    token = ""
    start = 0  # which start of its invocation it is, over all processes: 0 is the first
    task = ""
    nth = 0  # which start of its task it is, over all processes: 1 is the first, 0 where they are not counted
    ending: int | None = None  # a file that is locked until it has ended, for its retry to wait for
    called = ""  # the errback that Celery calls in this thread, in the midst of another attempt or of none


class Recorder:
    """`folder` is where the event files go; `worker` is the harness's name of this worker ("" for a client)."""

    def __init__(self, folder: str, worker: str) -> None:
        self.folder = folder
        self.worker = worker
        self.host = ""
        #: called after each event, for whoever waits for one
        self.ring: Callable[[], None] = lambda: None
        self._tape: Tape | None = None
        self._pid = 0
        self._numbers = count(1)
        self._attempts = Attempts()
        #: of the message that is being published in this process: its unscaled countdown, and the factor of the scale
        self.countdown_s: float | None = None
        self.asked_at_ns: int | None = None  # when its time was set
        self.countdown_scale = 1.0
        #: stand at a crash point: (point, invocation, start), where start is -1 for "not known here"; set by whoever
        #: can hold an attempt there
        self.point: Callable[[Point, str, int], None] = lambda point, invocation, start: None
        #: whether the harness gave this invocation a script: then its starts are counted
        self.is_scripted: Callable[[str], bool] = lambda invocation: False
        #: which start of its task this one of an invocation is: (invocation, task)
        self.count: Callable[[str, str], int] = lambda invocation, task: 0
        self._own()
        os.register_at_fork(after_in_child=self._own)  # asking for the pid at each event costs as much as writing it

    def _own(self) -> None:
        """Nothing of the parent's: a file and attempts of this process."""
        self._tape = None
        self._pid = os.getpid()
        self._numbers = count(1)

    def record(self, kind: Kind, invocation: str = "", task: str = "", **detail: Any) -> None:
        """Append one event. Inside an attempt its token goes along, unless the event is of another invocation."""
        now = self._attempts
        attempt = now.token if now.invocation == invocation else ""
        event = Event(monotonic_ns(), kind, self._pid, self.worker, invocation, task, attempt, detail, self.host)
        (self._tape or self._open()).write(encode(event) + b"\n")
        self.ring()

    def _open(self) -> Tape:
        self._tape = Tape(self.folder, self._pid)
        return self._tape

    def close(self) -> None:
        tape, self._tape = self._tape, None
        if tape is not None:
            tape.close()

    @property
    def invocation(self) -> str:
        """Of the attempt that runs in this thread; empty outside of one."""
        return self._attempts.invocation

    @property
    def start(self) -> int:
        """Which start of its invocation this attempt is."""
        return self._attempts.start

    @property
    def task(self) -> str:
        """Of the attempt that runs in this thread, or that ran last."""
        return self._attempts.task

    @property
    def nth(self) -> int:
        """Which start of its task this attempt is; 0 where they are not counted."""
        return self._attempts.nth

    @property
    def called(self) -> str:
        """The errback that is called in this thread rather than run from a message; empty otherwise."""
        return self._attempts.called

    @contextlib.contextmanager
    def call(self, invocation: str) -> Iterator[None]:
        """What runs meanwhile in this thread is an attempt of this errback's."""
        now = self._attempts
        before = now.invocation, now.token, now.start, now.task, now.nth, now.called
        self.begin(invocation)
        now.called = invocation
        try:
            yield
        finally:
            now.invocation, now.token, now.start, now.task, now.nth, now.called = before

    def begin(self, invocation: str, task: str = "") -> None:
        """An attempt begins in this thread. Without a task it is not counted as one of its task's."""
        now = self._attempts
        now.invocation = invocation
        now.token = f"{self._pid}-{next(self._numbers)}"
        now.start = self._count_start(invocation) if self.is_scripted(invocation) else 0
        now.task, now.nth = task, self.count(invocation, task)

    def retries(self) -> None:
        """The attempt in this thread is about to publish its retry, whose delay the run has scaled down.

        In production it would have ended long before that begins; here a busy machine could have both at once, and the
        older one store its state last. So the retry waits: for a lock, which the kernel takes from whoever dies.
        """
        now = self._attempts
        if now.ending is None and self.is_scripted(now.invocation):
            with contextlib.suppress(FileNotFoundError):
                now.ending = self._starts(now.invocation)
                fcntl.flock(now.ending, fcntl.LOCK_EX)

    def end(self) -> None:
        """The attempt in this thread has stored what became of it: its retry may begin."""
        ending, self._attempts.ending = self._attempts.ending, None
        if ending is not None:
            os.close(ending)

    def finish(self) -> None:
        self._attempts.invocation = self._attempts.token = ""

    def _count_start(self, invocation: str) -> int:
        """A byte for each start, appended to a file that the harness made with the script, so that kills lose none.

        The harness removes it when all was done; whatever comes afterwards is like a first start.
        """
        try:
            fd = self._starts(invocation)
        except FileNotFoundError:
            return 0
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)  # see `retries`
            os.write(fd, b".")
            return os.lseek(fd, 0, os.SEEK_CUR) - 1
        finally:
            os.close(fd)

    def _starts(self, invocation: str) -> int:
        return os.open(f"{self.folder}/../starts/{invocation}", os.O_WRONLY | os.O_APPEND)


# by `celery worker -I assay.recorder` elsewhere; what the loader of that name has imported comes here too
if "ASSAY_RECORDER" in os.environ and "celery.worker" in sys.modules and "assay.elsewhere.aboard" not in sys.modules:
    from assay.elsewhere import aboard

    aboard.install()
