"""A broker that is a process of the run: it can be killed, paused and started again at the same address."""

import signal
from pathlib import Path
from typing import Protocol

from assay.brokers.databases import Databases
from assay.process import Process

STOP_S = 2.0


class Spawn(Protocol):
    """Starts a program of the run, as Supervisor.spawn does: `pass_fds` become 3, 4, ... in it, a `sweeper` is last."""

    def __call__(
        self, argv: list[str], *, log: Path, pass_fds: tuple[int, ...] = (), name: str = "", sweeper: bool = False
    ) -> Process: ...


class Served:
    """What all brokers share that a run has started itself. The log, and data if any, go to `folder`."""

    host = "127.0.0.1"
    durable = False  # whether it has after a restart what it had before, as people run it

    def __init__(self, folder: Path, spawn: Spawn, port: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.log = folder / "broker.log"
        self.port = port
        self._asked_port = port
        self._spawn = spawn
        self._process = self._start()

    def _start(self) -> Process:
        """A process that serves at `port`, which it may choose when that is 0."""
        raise NotImplementedError

    def disconnect(self) -> None:
        """Close the harness's own connections to it."""
        raise NotImplementedError

    def _forget_data(self) -> None:
        """Before a start without data."""

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.alive()

    def keep_data(self) -> None:
        """From now on a restart loses nothing that the broker has confirmed. Raises UsageError where that cannot be."""

    def kill(self) -> None:
        """SIGKILL, landed when this returns."""
        self._process.kill()
        self.disconnect()

    def restart(self, *, with_data: bool = False) -> None:
        """Kill, and start again at the same address: with what it had on disk, or empty."""
        self.kill()
        self._process.close()
        if not with_data:
            self._forget_data()
        self._process = self._start()

    def pause(self) -> None:
        self._process.pause()

    def resume(self) -> None:
        self._process.resume()

    def stop(self) -> str:
        """End the process; nothing of it is left, nor to be told. Safe to call twice."""
        self.disconnect()
        self._process.resume()
        self._process.send(signal.SIGTERM)
        if not self._process.gone(STOP_S):
            self._process.kill()
        self._process.close()
        return ""


class ServedBroker(Served, Databases):
    """The embedded broker and the private redis-server: at a port, or at a Unix socket in its folder."""

    def __init__(self, folder: Path, spawn: Spawn, *, port: int = 0, unix: bool = False) -> None:
        Databases.__init__(self)
        self._unix = str(folder / "broker.sock") if unix else ""
        Served.__init__(self, folder, spawn, port)

    def url(self, db: int) -> str:
        """`redis://127.0.0.1:PORT/DB`, or kombu's form for a Unix socket."""
        if self._unix:
            return f"redis+socket://{self._unix}?virtual_host={db}"
        return f"redis://{self.host}:{self.port}/{db}"

    def client_url(self, db: int) -> str:
        return f"unix://{self._unix}?db={db}" if self._unix else self.url(db)

    def disconnect(self) -> None:
        Databases.disconnect(self)

    def _no_answer(self, error: Exception) -> str:
        return f"{super()._no_answer(error)}\n{self._process.last_words()}"
