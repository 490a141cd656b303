"""The harness's end of the gate: attempts that stand at a crash point, and letting go of them."""

import contextlib
import secrets
import select
import socket
import time
from collections.abc import Callable

import msgspec

from assay.errors import HarnessError
from assay.event import Point
from assay.hold import Held

_decode = msgspec.json.Decoder(Held).decode


class Waiting:
    """An attempt that stands at a crash point, until it is let go or killed."""

    def __init__(self, held: Held, channel: socket.socket) -> None:
        self.held = held
        self.pid = held.pid
        self._channel = channel
        self.released = False

    def release(self) -> None:
        self.released = True
        with contextlib.suppress(OSError):
            self._channel.send(b".")
        self._channel.close()


class Gate:
    """Listens on an abstract Unix socket, which leaves no file behind."""

    def __init__(self) -> None:
        self.name = f"assay-{secrets.token_hex(8)}"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind("\0" + self.name)
        self._listener.listen(256)
        self._listener.setblocking(False)
        self._waiting: list[Waiting] = []
        self._handed: list[Waiting] = []

    def fileno(self) -> int:
        return self._listener.fileno()

    def _accept(self) -> None:
        while True:
            try:
                channel, _ = self._listener.accept()
            except BlockingIOError:
                return
            channel.settimeout(5.0)
            try:
                data = channel.recv(65536)
            except OSError:
                data = b""
            if data:
                self._waiting.append(Waiting(_decode(data), channel))
            else:
                channel.close()  # killed between connecting and telling

    def wait(
        self,
        invocation: str,
        point: Point,
        *,
        timeout_s: float,
        start: int | None = None,
        alive: Callable[[], None] = lambda: None,
    ) -> Waiting:
        """The attempt of `invocation` that stands at `point`. Raises HarnessError when none came in `timeout_s`.

        `alive` is called now and then and may raise to cut the wait short (the worker died, say).
        """
        deadline = time.monotonic() + timeout_s
        while True:
            self._accept()
            for waiting in self._waiting:
                held = waiting.held
                if held.invocation == invocation and held.point == point and start in (None, held.start):
                    self._waiting.remove(waiting)
                    self._handed.append(waiting)  # lets go only when told to, not when it is forgotten
                    return waiting
            left = deadline - time.monotonic()
            if left <= 0:
                raise HarnessError(f"no attempt of {invocation} reached {point} within {timeout_s:g} s")
            alive()
            select.select([self._listener], [], [], min(left, 0.5))

    def next(self, timeout_s: float) -> Waiting | None:
        """The attempt that has stood at a crash point for longest; None where none came in `timeout_s`."""
        self._accept()
        if not self._waiting:
            select.select([self._listener], [], [], timeout_s)
            self._accept()
        if not self._waiting:
            return None
        waiting = self._waiting.pop(0)
        self._handed = [each for each in self._handed if not each.released] + [waiting]
        return waiting

    def close(self) -> None:
        self._accept()
        for waiting in self._waiting + self._handed:
            waiting.release()
        self._listener.close()
