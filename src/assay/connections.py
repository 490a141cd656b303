"""TCP connections of a process of the run: cut and reset from outside, with nothing in the path and without root.

The kernel lends a copy of another process's socket to whoever may trace that process (pidfd_getfd(2), Linux 5.6): what
is done to the copy is done to the connection. No proxy stands between worker and broker, so an unbroken connection is
as fast as it is in production, and what breaks is the real one.
"""

import array
import contextlib
import ctypes
import errno
import fcntl
import ipaddress
import os
import socket
import struct
import termios
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import psutil

from assay.errors import HarnessError

How = Literal["cut", "reset"]
#: Redis to a BRPOP that found nothing in time (RESP3, RESP2), and an AMQP broker's heartbeat
NOTHING = (b"_\r\n", b"*-1\r\n", b"\x08\0\0\0\0\0\0\xce")
PIDFD_GETFD = 438  # the same number on every architecture
CLOSED = (errno.EBADF, errno.ESRCH)  # of pidfd_getfd(2): the descriptor is closed by now, or its process gone
UNSPEC = struct.pack("H14x", socket.AF_UNSPEC)  # a struct sockaddr: connect(2) to it takes a TCP connection down by RST
#: of an address that names none
PORTS = {"redis": 6379, "rediss": 6379, "amqp": 5672, "pyamqp": 5672, "librabbitmq": 5672, "amqps": 5671}

_libc = ctypes.CDLL(None, use_errno=True)


class Peer(NamedTuple):
    """An IP address and a port."""

    ip: str
    port: int

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


def peers(url: str) -> set[Peer]:
    """Where connections to a broker's URL end. Raises HarnessError where they are none that can be broken."""
    parts = urlsplit(url)
    port = parts.port or PORTS.get(parts.scheme)
    if port is None or not parts.hostname:
        raise HarnessError(f"connections by {parts.scheme} cannot be broken: only TCP ones to a host and port can")
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise HarnessError(f"the broker's host {parts.hostname} has no address: {error}") from None
    return {_peer(address) for *_, address in found}


def obstacle(pid: int, url: str) -> str:
    """Why connections of a process of the run to this broker cannot be broken; "" where they can. Tried on `pid`."""
    try:
        peers(url)
        os.close(_lent(pid, 0))
    except HarnessError as error:
        return str(error)
    except OSError as error:
        return "" if error.errno == errno.EBADF else _forbidden(os.strerror(error.errno or 0))  # it has no stdin
    return ""


class Connection(NamedTuple):
    """One of a process: its local and remote address, and its file descriptor there."""

    local: Peer
    remote: Peer
    fd: int


def established(pid: int, ends: set[Peer]) -> list[Connection]:
    """The process's connections to any of these ends. Empty where it is gone; HarnessError where it is not ours."""
    try:
        found = psutil.Process(pid).net_connections("tcp")
    except psutil.NoSuchProcess:
        return []
    except (psutil.AccessDenied, OSError) as error:
        raise HarnessError(_forbidden(str(error))) from None
    return [
        Connection(_peer(each.laddr), _peer(each.raddr), each.fd)
        for each in found
        if each.raddr and each.status == psutil.CONN_ESTABLISHED and _peer(each.raddr) in ends
    ]


def both_ends(pid: int, server: int, connections: Sequence[Connection]) -> list[tuple[int, Connection]]:
    """Those of `pid`'s connections to `server` that are still there, at either end, each with who has it."""
    mine = {each.local for each in connections}
    ends = {each.remote for each in connections}
    here = [(pid, each) for each in established(pid, ends) if each.local in mine]
    return here + [(server, each) for each in established(server, mine)]


def sever(pid: int, ends: set[Peer], how: How) -> list[Connection]:
    """End all connections of the process to these ends; those that were ended. None of them is left then.

    `cut` closes both directions in order (FIN), as a broker or a load balancer does that stops; `reset` aborts (RST),
    as a peer does that knows nothing of the connection any more. The process should be stopped meanwhile, or it may
    connect again. Raises HarnessError where the kernel does not allow it, and where any is left.
    """
    before = established(pid, ends)
    for connection in before:
        with contextlib.suppress(OSError), borrowed(pid, connection) as lent:  # or it ended in this moment
            lent.shutdown(socket.SHUT_RDWR) if how == "cut" else abort(lent)
    if left := established(pid, ends):
        raise HarnessError(f"{len(left)} of {len(before)} connections of process {pid} did not break")
    return before


def abort_ends(server: int, connections: Sequence[Connection], concerned: Callable[[socket.socket], bool]) -> None:
    """Take down the server's ends of connections whose process is gone, but what has their port by now."""
    for connection in established(server, {each.local for each in connections}):
        with contextlib.suppress(OSError), borrowed(server, connection) as lent:
            if concerned(lent):
                abort(lent)


def undelivered(connections: list[Connection]) -> int:
    """Bytes that either side has sent on these connections and that the other one's kernel has not acknowledged."""
    pairs = {(each.local, each.remote) for each in connections}
    return sum(sending for local, remote, sending, _ in _listed() if {(local, remote), (remote, local)} & pairs)


def unanswered(ends: set[Peer], pid: int) -> int:
    """Bytes of this process that have arrived at these ends and that nobody has read there, accepted or not.

    The server may stand still: the kernel keeps what comes for it, also on a connection that it has not accepted yet.
    """
    clients = {connection.local for connection in established(pid, ends)}
    return sum(arrived for local, remote, _, arrived in _listed() if local in ends and remote in clients)


def _listed() -> Iterator[tuple[Peer, Peer, int, int]]:
    """(local, remote, bytes sent and not acknowledged, bytes arrived and not read) of each TCP connection over IPv4.

    Source: proc(5), /proc/net/tcp; its addresses are in the machine's byte order.
    """
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, queues, *_ = line.split()
        sending, _, arrived = queues.partition(":")
        yield _address(local), _address(remote), int(sending, 16), int(arrived, 16)


def _address(address: str) -> Peer:
    ip, _, port = address.partition(":")
    return Peer(socket.inet_ntoa(struct.pack("=I", int(ip, 16))), int(port, 16))


def unread(pid: int, ends: set[Peer]) -> int:
    """Bytes that have arrived for the process on its connections to these ends and that it has not read.

    What says that there is nothing is not counted: an idle worker may at any time have just that unread.
    """
    total = 0
    for connection in established(pid, ends):
        with contextlib.suppress(OSError), borrowed(pid, connection) as lent:  # or it ended in this moment
            count = array.array("i", [0])
            fcntl.ioctl(lent.fileno(), termios.FIONREAD, count)
            if count[0] and lent.recv(count[0], socket.MSG_PEEK | socket.MSG_DONTWAIT) not in NOTHING:
                total += count[0]
    return total


@contextlib.contextmanager
def borrowed(pid: int, connection: Connection) -> Iterator[socket.socket]:
    """A copy of another process's socket, given back at once: while it is held, closing it there ends nothing.

    Raises OSError where the connection has ended, and HarnessError where the kernel lends none.
    """
    with socket.socket(fileno=_lent(pid, connection.fd)) as lent:
        if _peer(lent.getpeername()) != connection.remote:
            raise OSError(f"{connection.fd} is another connection by now")
        yield lent


def _lent(pid: int, fd: int) -> int:
    """A descriptor of our own for one of that process's.

    Raises OSError where the process has closed it or is gone, and HarnessError where the kernel lends none.
    """
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        raise
    except OSError as error:
        raise HarnessError(_forbidden(os.strerror(error.errno or 0))) from None
    try:
        copy = int(_libc.syscall(PIDFD_GETFD, pidfd, fd, 0))
        number = ctypes.get_errno()
    finally:
        os.close(pidfd)
    if copy < 0 and number in CLOSED:
        raise OSError(number, os.strerror(number))
    if copy < 0:
        raise HarnessError(_forbidden(os.strerror(number)))
    return copy


def _peer(address: tuple[Any, ...]) -> Peer:
    """An IPv4 address that came by an IPv6 socket is the same one."""
    ip = ipaddress.ip_address(address[0].partition("%")[0])
    return Peer(str(getattr(ip, "ipv4_mapped", None) or ip), address[1])


def abort(lent: socket.socket) -> None:
    """Take a connection down by RST, in both directions. Raises OSError."""
    if _libc.connect(lent.fileno(), UNSPEC, len(UNSPEC)) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _forbidden(why: str) -> str:
    return (
        f"the kernel does not lend the sockets of other processes ({why}), so connections cannot be broken: it takes"
        " Linux 5.6, kernel.yama.ptrace_scope of 0 or 1, and in a container pidfd_getfd"
        " (docker run --cap-add SYS_PTRACE)"
    )
