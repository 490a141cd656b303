"""A black hole: nothing arrives any more on connections of a process, in either direction, and nobody is told."""

import contextlib
import ctypes
import socket
import struct

from assay.connections import Connection, Peer, borrowed, established, undelivered

SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27  # asm-generic/socket.h
DROP_ALL = struct.pack("HBBI", 0x06, 0, 0, 0)  # BPF_RET with no bytes to keep: linux/filter.h, struct sock_filter


class BlackHole:
    """What a process has connected to these ends of the process `server`, as by a router that is gone, or a NAT that
    has forgotten them.

    Both kernels' ends stay ESTABLISHED and send again and again. A socket filter at each drops what comes,
    acknowledgements included (socket(7), SO_ATTACH_FILTER: no right is needed for one's own socket). Connections that
    are made later are not concerned: their ports are others, or a SYN would meet the old one's end and its filter.
    Raises HarnessError where the kernel lends no sockets. The process should be stopped meanwhile.
    """

    def __init__(self, pid: int, ends: set[Peer], server: int) -> None:
        self._pid, self._server = pid, server
        self.connections = established(pid, ends)
        self._taken: list[socket.socket] = []
        for owner, connection in self._both_ends():
            with contextlib.suppress(OSError), borrowed(owner, connection) as lent:  # or it ended in this moment
                lent.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, _program())
        for connection in self.connections:
            self._take(connection)

    def _both_ends(self) -> list[tuple[int, Connection]]:
        """Those that are still there, each with the process that has it."""
        mine = {each.local for each in self.connections}
        ends = {each.remote for each in self.connections}
        here = [(self._pid, each) for each in established(self._pid, ends) if each.local in mine]
        return here + [(self._server, each) for each in established(self._server, mine)]

    def _take(self, connection: Connection) -> None:
        """No other connection gets the port, though this one should end: the kernel passes over one that is bound."""
        taken = socket.socket(socket.AF_INET6 if ":" in connection.local.ip else socket.AF_INET)
        self._taken.append(taken)
        with contextlib.suppress(OSError), borrowed(self._pid, connection) as lent:  # of another network namespace
            for each in (lent, taken):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(connection.local)

    def undelivered(self) -> int:
        """Bytes that either end has sent and that the other one's kernel has not acknowledged."""
        return undelivered(self.connections)

    def heal(self) -> None:
        """Those of the connections that are still there are what they were. Safe to call twice."""
        for owner, connection in self._both_ends():
            with contextlib.suppress(OSError), borrowed(owner, connection) as lent:
                lent.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
        while self._taken:
            self._taken.pop().close()


def _program() -> bytes:
    """struct sock_fprog of the one instruction."""
    return struct.pack("HL", 1, ctypes.addressof(_DROP_ALL))


_DROP_ALL = ctypes.create_string_buffer(DROP_ALL)
