"""A slow path: connections of a process carry no more than so many bytes a second, in both directions."""

import contextlib
import socket
import struct

from assay.connections import Peer, abort_ends, borrowed, both_ends, established, undelivered

SO_MAX_PACING_RATE = 47  # asm-generic/socket.h; bytes a second
UNPACED = 0xFFFFFFFF


class Slowed:
    """What a process has connected to these ends of the process `server`, as by a line that is congested.

    TCP itself spreads what it sends (since Linux 4.13: no queueing discipline and no right is needed), from the tenth
    packet of a connection on, and a packet that waits when it heals is not hurried (net/ipv4/tcp_output.c,
    tcp_update_skb_after_send). Raises HarnessError where the kernel lends no sockets.
    """

    def __init__(self, pid: int, ends: set[Peer], server: int, bytes_per_s: int) -> None:
        self._pid, self._server = pid, server
        self._rate = bytes_per_s
        self.connections = established(pid, ends)
        self._pace(bytes_per_s)

    def paced(self) -> int:
        """How many of the sockets, at either end, are that slow."""
        number = 0
        for owner, connection in both_ends(self._pid, self._server, self.connections):
            with contextlib.suppress(OSError), borrowed(owner, connection) as lent:
                number += self._is_paced(lent)
        return number

    def undelivered(self) -> int:
        """Bytes that are on their way, or wait for their turn."""
        return undelivered(self.connections)

    def heal(self) -> None:
        """Those that are still there are what they were. Safe to call twice."""
        self._pace(UNPACED)

    def end(self) -> None:
        """For when the process is gone: what it sent last would arrive later than that of a killed worker does."""
        abort_ends(self._server, self.connections, self._is_paced)

    def _is_paced(self, lent: socket.socket) -> bool:
        return lent.getsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE) == self._rate

    def _pace(self, bytes_per_s: int) -> None:
        for owner, connection in both_ends(self._pid, self._server, self.connections):
            with contextlib.suppress(OSError), borrowed(owner, connection) as lent:  # or it ended in this moment
                lent.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, struct.pack("I", bytes_per_s))
