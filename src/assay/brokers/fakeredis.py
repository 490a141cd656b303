"""The embedded broker: needs nothing but pip. See fakeredis_server.py for the process that this one starts."""

import json
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import Protocol

from assay.brokers.databases import Databases
from assay.errors import HarnessError, UsageError
from assay.process import Process

READY_S = 30.0
FIRST_PASSED_FD = 3


class Spawn(Protocol):
    """Starts a program of the run, as Supervisor.spawn does: `pass_fds` become 3, 4, ... in it."""

    def __call__(self, argv: list[str], *, log: Path, pass_fds: tuple[int, ...] = (), name: str = "") -> Process: ...


class FakeredisBroker(Databases):
    """A process that serves fakeredis's engine on a loopback port, or on a Unix socket in `folder`."""

    name = "fakeredis"

    def __init__(self, folder: Path, spawn: Spawn, *, port: int = 0, unix: bool = False) -> None:
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._spawn = spawn
        self._unix = str(folder / "broker.sock") if unix else ""
        self._asked_port = self.port = port
        self._process: Process | None = None
        self._start()

    def _start(self) -> None:
        where = ["--unix", self._unix] if self._unix else ["--port", str(self.port)]
        argv = [sys.executable, "-P", "-m", "assay.brokers.fakeredis_server", *where, "--ready", str(FIRST_PASSED_FD)]
        read_end, write_end = os.pipe()
        try:
            log = self._folder / "broker.log"
            self._process = self._spawn(argv, log=log, pass_fds=(write_end,), name="embedded broker")
        finally:
            os.close(write_end)
        try:
            told = _read_line(read_end, READY_S)
        finally:
            os.close(read_end)
        if not told:
            self._refuse(self._process)
        self.pid = self._process.pid
        if not self._unix:
            self.port = json.loads(told)["port"]

    def _refuse(self, process: Process) -> None:
        process.kill()
        if self._asked_port and "cannot listen" in process.log.read_text(errors="replace"):
            raise UsageError(f"port {self._asked_port} is taken: name another by --port, or none for a free one")
        raise HarnessError(f"the embedded broker did not start within {READY_S:g} s\n{process.last_words()}")

    def url(self, db: int) -> str:
        """`redis://127.0.0.1:PORT/DB`, or kombu's form for a Unix socket."""
        if self._unix:
            return f"redis+socket://{self._unix}?virtual_host={db}"
        return f"redis://127.0.0.1:{self.port}/{db}"

    def client_url(self, db: int) -> str:
        return f"unix://{self._unix}?db={db}" if self._unix else self.url(db)

    def alive(self) -> bool:
        return self._process is not None and self._process.alive()

    def kill(self) -> None:
        """SIGKILL, landed when this returns. All data is gone."""
        if self._process is not None:
            self._process.kill()
        self.disconnect()

    def restart(self, *, with_data: bool = False) -> None:
        """Start again at the same address, empty. Raises UsageError for `with_data`: it keeps nothing on disk."""
        if with_data:
            raise UsageError("the embedded broker keeps no data over a restart: use --broker redis for this")
        self.kill()
        self._start()

    def pause(self) -> None:
        if self._process is not None:
            self._process.pause()

    def resume(self) -> None:
        if self._process is not None:
            self._process.resume()

    def stop(self) -> None:
        """End the process; nothing of it is left. Safe to call twice."""
        self.disconnect()
        if self._process is not None:
            self._process.send(signal.SIGTERM)
            if not self._process.gone(2.0):
                self._process.kill()
            self._process.close()
            self._process = None

    def _no_answer(self, error: Exception) -> str:
        told = super()._no_answer(error)
        return told if self._process is None else f"{told}\n{self._process.last_words()}"


def _read_line(fd: int, timeout_s: float) -> bytes:
    """What was written up to a newline; empty when the other end was closed before, or at the deadline."""
    deadline = time.monotonic() + timeout_s
    data = b""
    while not data.endswith(b"\n"):
        if not select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return b""
        part = os.read(fd, 4096)
        if not part:
            return b""
        data += part
    return data
