"""A black hole: nothing arrives any more on connections of a process, in either direction, and nobody is told."""

import contextlib
import ctypes
import socket
import struct
from collections.abc import Sequence

from assay.connections import Connection, Peer, abort_ends, borrowed, both_ends, established, undelivered

SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27  # asm-generic/socket.h
SO_GET_FILTER, MOST = SO_ATTACH_FILTER, 64  # how many instructions there are, as so many bytes; bytes for them
SYN, RST, ACK = 0x02, 0x04, 0x10
#: instructions of classic BPF: operation, jump if true, jump if not, operand. Source: linux/filter.h
DROP = ((0x06, 0, 0, 0),)
#: but a lone SYN and a lone RST, by which a new connection finds that one end has still the old one (RFC 9293, 3.5.1)
DROP_ALL_BUT_NEW = (
    (0x30, 0, 0, 13),  # load the flags of the TCP header
    (0x54, 0, 0, SYN | RST | ACK),  # and
    (0x15, 1, 0, SYN),  # equal: to the last but one
    (0x15, 0, 1, RST),  # equal: to the last but one, else to the last
    (0x06, 0, 0, 0xFFFFFFFF),  # keep
    *DROP,
)


class BlackHole:
    """What a process has connected to these ends of the process `server`, as by a router that is gone, or a NAT that
    has forgotten them.

    Both kernels' ends stay ESTABLISHED and send again and again. A socket filter at each drops what comes,
    acknowledgements included (socket(7), SO_ATTACH_FILTER: no right is needed for one's own socket). Connections that
    are made later are not concerned: their ports are others, or a SYN would meet the old one's end and its filter.
    Where somebody else has such a port too, for another end, the filter lets the SYN pass. Raises HarnessError
    where the kernel lends no sockets. The process should be stopped meanwhile.
    """

    def __init__(self, pid: int, ends: set[Peer], server: int) -> None:
        self._pid, self._server = pid, server
        self.connections = established(pid, ends)
        self._taken: list[socket.socket] = []
        taken = {connection.local for connection in self.connections if self._take(connection)}
        for owner, connection in both_ends(pid, server, self.connections):
            mine = connection.local if owner == pid else connection.remote
            with contextlib.suppress(OSError), borrowed(owner, connection) as lent:  # or it ended in this moment
                _filter(lent, DROP if mine in taken else DROP_ALL_BUT_NEW)

    def _take(self, connection: Connection) -> bool:
        """No other connection gets the port, though this one should end: the kernel passes over one that is bound.

        Not where another connection has it too, which is to another end, or where it is of another network namespace.
        """
        taken = socket.socket()
        self._taken.append(taken)
        try:
            with borrowed(self._pid, connection) as lent:
                for each in (lent, taken):
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                taken.bind(connection.local)
        except OSError:
            return False
        return True

    def undelivered(self) -> int:
        """Bytes that either end has sent and that the other one's kernel has not acknowledged."""
        return undelivered(self.connections)

    def heal(self) -> None:
        """Those of the connections that are still there are what they were. Safe to call twice."""
        for owner, connection in both_ends(self._pid, self._server, self.connections):
            with contextlib.suppress(OSError), borrowed(owner, connection) as lent:
                lent.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
        self._give_back()

    def end(self) -> None:
        """For when the process is gone: the server's ends are gone too.

        Healed they would get what was sent into the hole, which the kernel sends again for a while though its process
        is gone. A BRPOP among that takes a message, and brings it to nobody.
        """
        abort_ends(
            self._server, self.connections, lambda lent: bool(lent.getsockopt(socket.SOL_SOCKET, SO_GET_FILTER, MOST))
        )
        self._give_back()

    def _give_back(self) -> None:
        while self._taken:
            self._taken.pop().close()


def _filter(lent: socket.socket, instructions: Sequence[tuple[int, int, int, int]]) -> None:
    """Source: linux/filter.h, struct sock_fprog."""
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in instructions))
    lent.setsockopt(
        socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(instructions), ctypes.addressof(program))
    )
