"""What goes along with a worker that others start: `-I assay.recorder`, or the loader beside this file.

It is told in the environment where the run is, redirects the app there, and records as a worker of the run's own does;
scripts, starts and crash points go through the channel too.
"""

import os
from itertools import count
from typing import Any

import msgspec
from celery import Celery, current_app

from assay import aims, role, script
from assay.aims import Aims
from assay.boot import Boot
from assay.elsewhere import address, host
from assay.elsewhere.channel import READINGS, TROUBLE, There, there
from assay.elsewhere.clocks import best
from assay.event import Kind, Point
from assay.hold import Held, Holder
from assay.recorder import Recorder

_on_board: list[Celery] = []
_decode = msgspec.json.Decoder(script.Script).decode


def install(app: Celery | None = None) -> None:
    """Once in a process. Raises what keeps it from that, which ends the worker; the harness is told why."""
    if _on_board:
        return
    found: Celery = app or current_app._get_current_object()
    _on_board.append(found)
    told = address.read(os.environ[address.VARIABLE])
    channel = there(told.place, told.prefix)
    try:
        boot = msgspec.json.decode(channel.boot(told.worker), type=Boot)
        recorder = FarRecorder(channel, boot.name)
        role.redirect(boot, found, recorder)
        role.record(boot, found, recorder, FarHolder(recorder, channel))
    except Exception as error:
        channel.send(TROUBLE + f" {told.worker}: {type(error).__name__}: {error}".encode())
        raise


class FarRecorder(Recorder):
    """Sends each event rather than keeping it, after what its clock shows beside the shared one."""

    def __init__(self, channel: There, worker: str) -> None:
        self._channel = channel
        super().__init__("", worker)
        self.host = host.identity()

    def _own(self) -> None:
        super()._own()
        self._channel.forked()

    def _open(self) -> Any:
        self._tape = sent = Sent(self._channel)  # type: ignore[assignment]
        ahead = best([self._channel.clock() for _ in range(READINGS)])
        self.record(Kind.CLOCK, ahead_ns=ahead.ahead_ns, error_ns=ahead.error_ns)
        return sent

    def _count_start(self, invocation: str) -> int:
        return self._channel.count(invocation)


class Sent:
    """In the place of a tape: each line of this process has its number."""

    def __init__(self, channel: There) -> None:
        self._channel = channel
        self._numbers = count(1)

    def write(self, line: bytes) -> None:
        self._channel.send(b"%d %b" % (next(self._numbers), line.rstrip(b"\n")))

    def close(self) -> None:
        """It holds nothing back."""


class FarAims(Aims):
    """Starts of a task, counted in the channel for all machines."""

    def __init__(self, channel: There) -> None:
        found = channel.script(aims.NAME)
        self._of([] if found is None else msgspec.json.decode(found, type=list[aims.Aim]), "aimed-{}".format)
        self._channel = channel

    def count(self, task: str) -> int:
        counter = self._counters.get(task)
        return 0 if counter is None else self._channel.count(counter) + 1


class FarHolder(Holder):
    """Stands at a crash point until the harness, which reads of it in an event, lets go through the channel."""

    def __init__(self, recorder: Recorder, channel: There) -> None:
        super().__init__(recorder, "", "", FarAims(channel))
        self._channel = channel
        self._tokens = count(1)

    def _read(self, invocation: str) -> script.Script:
        found = self._channel.script(invocation)
        return script.DEFAULT if found is None else _decode(found)

    def _passed(self, point: Point, invocation: str) -> int:
        return self._channel.count(f"{invocation}.{point}")

    def _stand(self, held: Held) -> None:
        token = f"{held.worker}-{held.pid}-{next(self._tokens)}"
        told: dict[str, Any] = {"point": held.point, "start": held.start, "nth": held.nth, "token": token}
        self._recorder.record(Kind.HELD, held.invocation, **told)
        self._channel.hold(token)
        self._recorder.record(Kind.RELEASED, held.invocation, **told)
