"""The embedded broker's event loop: one thread, one epoll, no polling."""

import contextlib
import select
import socket
import time
from typing import Any

from assay.brokers.engine import Engine
from assay.brokers.resp import Parser, ProtocolError
from assay.brokers.session import Session

CHUNK = 256 * 1024
BACKLOG = 511
OUTPUT_LIMIT = 32 * 1024 * 1024  # of a subscriber that does not read: Redis's client-output-buffer-limit pubsub
GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR
READABLE = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR


class Connection:
    """One client's socket."""

    def __init__(self, loop: "Loop", sock: socket.socket, address: str) -> None:
        self.loop = loop
        self.sock = sock
        self.parser = Parser()
        self.session = Session(loop.engine, address, self._gone)
        self._poll = select.poll()
        self._poll.register(sock, select.POLLRDHUP)
        self._unsent = b""
        self._watching_writes = False

    def _gone(self) -> bool:
        """Whether the client has closed or reset the connection, read or not: nothing may be taken out for it."""
        return any(events & GONE for _, events in self._poll.poll(0))

    def readable(self) -> None:
        """Take in what came. What comes while the client is blocked waits, as in Redis; an end does not."""
        try:
            data = self.sock.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self.parser.feed(data)
        self.advance()

    def advance(self) -> None:
        """Run the requests that are complete, until one blocks."""
        session = self.session
        try:
            while not session.parked and not session.closing:
                fields = self.parser.next()
                if fields is None:
                    break
                session.execute(fields)
        except ProtocolError as error:
            session.refuse(str(error))

    def send(self) -> None:
        """Send what waits; what the socket does not take goes when it can."""
        outbox = self.session.outbox
        data = self._unsent + b"".join(outbox) if self._unsent else b"".join(outbox)
        outbox.clear()
        try:
            sent = self.sock.send(data) if data else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        self._unsent = data[sent:]
        if (self.session._pubsub and len(self._unsent) > OUTPUT_LIMIT) or (not self._unsent and self.session.closing):
            self.close()
        elif bool(self._unsent) != self._watching_writes:
            self._watching_writes = bool(self._unsent)
            self.loop.watch(self, writes=self._watching_writes)

    def close(self) -> None:
        self.session.close()
        self.loop.forget(self)
        self.sock.close()


class Loop:
    """Serves listening sockets until it is stopped by an exception (a signal handler's, SHUTDOWN's)."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._epoll = select.epoll()
        self._listeners: dict[int, socket.socket] = {}
        self._connections: dict[int, Connection] = {}
        self._of: dict[object, Connection] = {}  # by session
        self._ends: set[int] = set()

    def listen(self, listener: socket.socket) -> None:
        listener.setblocking(False)
        listener.listen(BACKLOG)
        self._listeners[listener.fileno()] = listener
        self._epoll.register(listener.fileno(), select.EPOLLIN)

    def end_with(self, fd: int) -> None:
        """Stop when the other end of this pipe is closed."""
        self._ends.add(fd)
        self._epoll.register(fd, select.EPOLLIN)

    def watch(self, connection: Connection, *, writes: bool) -> None:
        events = select.EPOLLIN | select.EPOLLRDHUP | (select.EPOLLOUT if writes else 0)
        self._epoll.modify(connection.sock.fileno(), events)

    def forget(self, connection: Connection) -> None:
        fd = connection.sock.fileno()
        if self._connections.get(fd) is connection:
            del self._connections[fd]
            del self._of[connection.session]
            self._epoll.unregister(fd)

    def run(self) -> None:
        while True:
            deadline = self.engine.next_deadline()
            ready = self._epoll.poll(-1 if deadline is None else max(0.0, deadline - time.monotonic()))
            for fd, events in ready:
                if fd in self._connections:
                    self._serve(self._connections[fd], events)
                elif fd in self._listeners:
                    self._accept(self._listeners[fd])
                elif fd in self._ends:
                    return
            if deadline is not None:
                self.engine.expire_waiting(time.monotonic())
            self._finish()

    def _serve(self, connection: Connection, events: int) -> None:
        if events & select.EPOLLOUT:
            connection.send()
        if events & READABLE and connection.sock.fileno() >= 0:
            connection.readable()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            while True:
                sock, peer = listener.accept()
                sock.setblocking(False)
                if sock.family != socket.AF_UNIX:
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection = Connection(self, sock, _name(peer, sock.fileno()))
                self._connections[sock.fileno()] = connection
                self._of[connection.session] = connection
                self._epoll.register(sock.fileno(), select.EPOLLIN | select.EPOLLRDHUP)

    def _finish(self) -> None:
        """Go on with sessions that were served, then send all that was written."""
        engine = self.engine
        while engine.unblocked or engine.written:
            unblocked, engine.unblocked = engine.unblocked, []
            for session in unblocked:
                if session in self._of:
                    self._of[session].advance()
            written, engine.written = engine.written, {}
            for session in written:
                if session in self._of:
                    self._of[session].send()


def _name(peer: Any, fd: int) -> str:
    return f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else f"unix:{fd}"
