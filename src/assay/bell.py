"""How a process of the app wakes the harness when it has recorded something, at no cost while nobody waits.

A byte of memory that both share says whether the harness waits; whoever records something then clears it and sends one
datagram. Standard library only.
"""

import contextlib
import mmap
import os
import secrets
import select
import socket
from pathlib import Path

WAITS, AWAKE = 1, 0
BELL = "bell"  # its name in a cluster's folder


class Bell:
    """The harness's end, for one thread. `path` is made; the socket is an abstract one, which leaves no file behind."""

    def __init__(self, path: Path) -> None:
        name = f"assay-bell-{secrets.token_hex(8)}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + name)
        self._socket.setblocking(False)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        path.write_bytes(bytes([AWAKE]) + name.encode())
        self._memory = _shared(path)

    def listen(self) -> None:
        """From now on the next event rings. Look once more whether there is one, then `wait`."""
        self._memory[0] = WAITS

    def wait(self, timeout_s: float) -> None:
        """Until it rings, or `timeout_s` is over."""
        if self._poll.poll(timeout_s * 1000):
            with contextlib.suppress(BlockingIOError):
                while self._socket.recv(64):
                    pass

    def close(self) -> None:
        self._memory[0] = AWAKE
        self._memory.close()
        self._socket.close()


class Ringer:
    """The other end, in a process of the app. Raises FileNotFoundError where nobody has hung a bell at `path`."""

    def __init__(self, path: Path) -> None:
        self._memory = _shared(path)
        self._name = b"\0" + self._memory[1:]

    def ring(self) -> None:
        if self._memory[0]:
            self._memory[0] = AWAKE
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.setblocking(False)
                channel.sendto(b".", self._name)


def _shared(path: Path) -> mmap.mmap:
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        return mmap.mmap(fd, 0)
    finally:
        os.close(fd)
