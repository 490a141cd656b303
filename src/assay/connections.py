"""TCP connections of a process of the run: cut and reset from outside, with nothing in the path and without root.

The kernel lends a copy of another process's socket to whoever may trace that process (pidfd_getfd(2), Linux 5.6): what
is done to the copy is done to the connection. No proxy stands between worker and broker, so an unbroken connection is
as fast as it is in production, and what breaks is the real one.
"""

import contextlib
import ctypes
import os
import socket
import struct
from collections.abc import Iterator
from typing import Literal

import psutil

from assay.errors import HarnessError

How = Literal["cut", "reset"]
PIDFD_GETFD = 438  # the same number on every architecture
UNSPEC = struct.pack("H14x", socket.AF_UNSPEC)  # a struct sockaddr: connect(2) to it takes a TCP connection down by RST

_libc = ctypes.CDLL(None, use_errno=True)


def established(pid: int, port: int) -> dict[tuple[str, int], int]:
    """{local address: file descriptor in the process} of its connections to a TCP port. Empty where it is gone."""
    try:
        found = psutil.Process(pid).net_connections("tcp")
    except psutil.NoSuchProcess:
        return {}
    return {
        (each.laddr.ip, each.laddr.port): each.fd
        for each in found
        if each.raddr and each.raddr.port == port and each.status == psutil.CONN_ESTABLISHED
    }


def sever(pid: int, port: int, how: How) -> list[tuple[str, int]]:
    """End all connections of the process to this port; the local addresses of those that were ended, proved gone.

    `cut` closes both directions in order (FIN), as a broker or a load balancer does that stops; `reset` aborts (RST),
    as a peer does that knows nothing of the connection any more. The process should be stopped meanwhile, or it may use
    a descriptor again. Raises HarnessError where the kernel does not allow it.
    """
    before = established(pid, port)
    for fd in before.values():
        with _borrowed(pid, fd) as borrowed, contextlib.suppress(OSError):  # one that ended by itself in this moment
            borrowed.shutdown(socket.SHUT_RDWR) if how == "cut" else _abort(borrowed)
    return sorted(set(before) - set(established(pid, port)))


@contextlib.contextmanager
def _borrowed(pid: int, fd: int) -> Iterator[socket.socket]:
    """A copy of another process's socket, given back at once: while it is held, closing it there ends nothing."""
    pidfd = os.pidfd_open(pid)
    try:
        copy = _libc.syscall(PIDFD_GETFD, pidfd, fd, 0)
        number = ctypes.get_errno()
    finally:
        os.close(pidfd)
    if copy >= 0:
        with socket.socket(fileno=copy) as borrowed:
            yield borrowed
        return
    raise HarnessError(
        f"the kernel does not lend the sockets of process {pid} ({os.strerror(number)}), so connections cannot be "
        "broken: it takes Linux 5.6, kernel.yama.ptrace_scope of 0 or 1, and a container that allows pidfd_getfd"
    )


def _abort(borrowed: socket.socket) -> None:
    if _libc.connect(borrowed.fileno(), UNSPEC, len(UNSPEC)) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
