"""A client that shows replies as they are on the wire, type included, so that two servers can be compared exactly."""

import select
import socket
from typing import Any

Reply = Any  # (type byte, value), nested


class Wire:
    """One connection. Replies: ("+", b"OK"), ("$", b"text" or None), (":", 1), ("-", "ERR ..."), ("*", [...]), ..."""

    def __init__(self, port: int, protocol: int = 2, db: int = 0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        if protocol == 3:
            self.ask("HELLO", 3)
        if db:
            assert self.ask("SELECT", db) == ("+", b"OK")

    def ask(self, *words: object) -> Reply:
        self.send(*words)
        return self.read()

    def send(self, *words: object) -> None:
        self.socket.sendall(request(*words))

    def has_reply(self, timeout_s: float = 0) -> bool:
        return bool(self._buffer) or bool(select.select([self.socket], [], [], timeout_s)[0])

    def read(self) -> Reply:
        line = self._line()
        kind, rest = chr(line[0]), line[1:]
        if kind in "$=":
            return kind, None if rest == b"-1" else self._bytes(int(rest))
        if kind in "*>~%":
            if rest == b"-1":
                return kind, None
            return kind, [self.read() for _ in range(int(rest) * (2 if kind == "%" else 1))]
        if kind == ":":
            return kind, int(rest)
        return kind, rest.decode("utf-8", "surrogateescape") if kind == "-" else rest

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            self._receive()
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _bytes(self, length: int) -> bytes:
        parts = [self._buffer]
        have = len(self._buffer)
        while have < length + 2:
            parts.append(self._receive_part())
            have += len(parts[-1])
        data = b"".join(parts)
        self._buffer = data[length + 2 :]
        return data[:length]

    def _receive(self) -> None:
        self._buffer += self._receive_part()

    def _receive_part(self) -> bytes:
        data = self.socket.recv(1 << 20)
        if not data:
            raise EOFError("the server closed the connection")
        return data

    def blocked_clients(self) -> int:
        info = self.ask("INFO", "clients")[1]
        return int(info.partition(b"blocked_clients:")[2].split()[0])

    def reset(self) -> None:
        """End with RST, as a process's sockets do when it is killed with unread data."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.socket.close()

    def close(self) -> None:
        self.socket.close()


def request(*words: object) -> bytes:
    fields = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(fields) + b"".join(b"$%d\r\n%b\r\n" % (len(field), field) for field in fields)
