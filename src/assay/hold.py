"""The worker's end of the gate: stop at a crash point until the harness lets go, or for ever if it kills us there."""

import contextlib
import os
import socket

import msgspec

from assay import script
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


class Holder:
    """Looks up the invocation's script at each crash point and holds where it says so.

    `gate` is the name of the harness's abstract Unix socket (SEQPACKET); when the harness is gone the attempt goes on.
    """

    def __init__(self, recorder: Recorder, scripts: str, gate: str) -> None:
        self._recorder = recorder
        self._scripts = scripts
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

    def _passed(self, point: Point, invocation: str) -> int:
        """How often any process has passed here before: a main process does not know which start this is."""
        fd = os.open(f"{self._scripts}/{invocation}.{point}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(fd, b".")
            return os.lseek(fd, 0, os.SEEK_CUR) - 1
        finally:
            os.close(fd)

    def at_point(self, point: Point, invocation: str, start: int) -> None:
        if not script.is_scripted(invocation) or not (holds := self.script(invocation).holds):
            return
        if start < 0:
            start = self._passed(point, invocation)
        if not any(hold.point == point and hold.attempt in (start, -1) for hold in holds):
            return
        self._stand(Held(point, invocation, start, os.getpid(), self._recorder.worker))

    def _stand(self, held: Held) -> None:
        recorder, point, invocation, start = self._recorder, held.point, held.invocation, held.start
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
