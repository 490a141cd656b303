"""The worker's end of the gate: stop at a crash point until the harness lets go, or for ever if it kills us there."""

import contextlib
import os
import socket

import msgspec

from assay import script
from assay.aims import Aims
from assay.event import Kind, Point
from assay.recorder import Recorder

REMEMBERED = 1024  # scripts, in each process: more than any prefetch window


class Held(msgspec.Struct, frozen=True):
    """What a held attempt tells the harness."""

    point: Point
    invocation: str
    start: int
    pid: int
    worker: str
    nth: int = 0  # of its task's starts, where these are counted


class Holder:
    """Looks up the invocation's script at each crash point and holds where it says so.

    `gate` is the name of the harness's abstract Unix socket (SEQPACKET); when the harness is gone the attempt goes on.
    """

    def __init__(self, recorder: Recorder, folder: str, gate: str, aims: Aims | None = None) -> None:
        self._recorder = recorder
        self._scripts = f"{folder}/scripts"
        self._aims = aims or Aims(folder)
        self._gate = gate
        self._known: dict[str, script.Script] = {}

    def _read(self, invocation: str) -> script.Script:
        return script.read(self._scripts, invocation)

    def script(self, invocation: str) -> script.Script:
        """The invocation's script. It is written before the message, so it is read once; that of RECYCLING may come."""
        if not script.is_scripted(invocation):
            return script.DEFAULT
        known = self._known.get(invocation)
        if known is None:
            known = self._read(invocation)
            if invocation != script.RECYCLING:
                if len(self._known) >= REMEMBERED:
                    del self._known[next(iter(self._known))]
                self._known[invocation] = known
        return known

    def is_scripted(self, invocation: str) -> bool:
        return self.script(invocation) is not script.DEFAULT

    def count(self, invocation: str, task: str) -> int:
        """Which start of its task this one is; 0 where that is not counted."""
        return self._aims.count(task) if self.script(invocation).counted else 0

    def _passed(self, point: Point, invocation: str) -> int:
        """How often any process has passed here before: a main process does not know which start this is."""
        fd = os.open(f"{self._scripts}/{invocation}.{point}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(fd, b".")
            return os.lseek(fd, 0, os.SEEK_CUR) - 1
        finally:
            os.close(fd)

    def at_point(self, point: Point, invocation: str, start: int) -> None:
        mine = self.script(invocation)
        if not mine.holds and not mine.counted:
            return
        if mine.holds and start < 0:
            start = self._passed(point, invocation)
        recorder = self._recorder
        nth = recorder.nth if mine.counted and recorder.invocation == invocation else 0
        if not any(hold.point == point and hold.attempt in (start, -1) for hold in mine.holds) and not (
            nth and self._aims.hold(recorder.task, nth, point)
        ):
            return
        self._stand(Held(point, invocation, start, os.getpid(), recorder.worker, nth))

    def _stand(self, held: Held) -> None:
        recorder, point, invocation, start = self._recorder, held.point, held.invocation, held.start
        if invocation == recorder.invocation:
            recorder.end()  # who holds it here may want to see its retry meanwhile
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as channel:
            try:
                channel.connect("\0" + self._gate)
            except OSError:
                return
            recorder.record(Kind.HELD, invocation, point=point, start=start)
            with contextlib.suppress(OSError):
                channel.send(msgspec.json.encode(held))
                channel.recv(1)
        recorder.record(Kind.RELEASED, invocation, point=point, start=start)
