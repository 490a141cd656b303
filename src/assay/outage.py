"""A result backend that is taken away or stands still, from outside: what it is given is what production gives it."""

import sqlite3
from collections.abc import Iterable
from typing import Protocol

from assay.broker import OwnBroker
from assay.connections import peers, unanswered
from assay.process import sleeps


class Outage(Protocol):
    """`felt` says whether this process waits for the backend, which it can be asked where the backend stands still.

    `felt_within_s` is less than anybody waits for it: a fault that nobody feels must not become another one.
    """

    felt_within_s: float

    def begin(self) -> None: ...

    def end(self) -> None: ...

    def felt(self, pid: int) -> bool: ...


class Gone:
    """The server is killed; at the end one without any data serves at the same address."""

    felt_within_s = 20.0

    def __init__(self, server: OwnBroker) -> None:
        self._server = server

    def begin(self) -> None:
        self._server.kill()

    def end(self) -> None:
        self._server.restart()

    def felt(self, pid: int) -> bool:
        return False  # who asks is refused at once


class Paused:
    """The server is stopped (SIGSTOP): what it is asked arrives, and is answered when it goes on."""

    felt_within_s = 20.0

    def __init__(self, server: OwnBroker) -> None:
        self._server = server

    def begin(self) -> None:
        self._server.pause()

    def end(self) -> None:
        self._server.resume()

    def felt(self, pid: int) -> bool:
        return unanswered(peers(self._server.url(0)), pid) > 0


class Locked:
    """Another process, which is the harness, has the lock of each SQLite file: nobody else can write."""

    felt_within_s = 3.0

    def __init__(self, files: Iterable[str]) -> None:
        self._files = list(files)
        self._holders: list[sqlite3.Connection] = []

    def begin(self) -> None:
        for file in self._files:
            holder = sqlite3.connect(file, isolation_level=None, timeout=30.0)
            self._holders.append(holder)
            holder.execute("BEGIN EXCLUSIVE")

    def end(self) -> None:
        while self._holders:
            self._holders.pop().close()  # which rolls back

    def felt(self, pid: int) -> bool:
        return sleeps(pid)
