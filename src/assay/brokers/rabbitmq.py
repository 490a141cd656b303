"""A private RabbitMQ node: Debian's package or another that is installed, on loopback, with its own data and cookie.

Each database of a run is a virtual host of its own (virtual_hosts.py).
"""

import os
import secrets
import shutil
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from assay.brokers.ports import free_port, serves
from assay.brokers.rabbitmq_console import CONSOLE, Console
from assay.brokers.served import Served, Spawn
from assay.brokers.virtual_hosts import Queue, VirtualHosts
from assay.errors import HarnessError, UsageError
from assay.process import Process
from assay.wait import wait_until

if TYPE_CHECKING:
    from amqp import Connection

READY_S = 300.0  # on a machine with a load of thirty one took more than 90 s
TRIES = 3
TAKEN = "eaddrinuse"
USER = "assay"
#: the server's own scripts; what Debian puts on PATH changes to a user of its own, which only root may
PROGRAMS = ("/usr/lib/rabbitmq/bin/rabbitmq-server", "/opt/rabbitmq/sbin/rabbitmq-server")
CONFIG = """\
listeners.tcp.1 = {host}:{port}
default_user = {user}
default_pass = {password}
disk_free_limit.absolute = 1MB
log.console.level = warning
"""


def find_server() -> str:
    """Path of rabbitmq-server. Raises UsageError that tells every place looked at, and the remedies."""
    for program in PROGRAMS:
        if os.access(program, os.X_OK):
            return program
    on_path = shutil.which("rabbitmq-server")
    if on_path and not Path(on_path).resolve().name.endswith("script-wrapper"):
        return on_path
    raise UsageError(
        f"there is no RabbitMQ: no {' and no '.join(PROGRAMS)}, and no rabbitmq-server of its own on PATH. Install it "
        "(apt install rabbitmq-server; its system service is not needed), or use --broker fakeredis or redis"
    )


class RabbitBroker(Served, VirtualHosts):
    """One node, whose port mapper is its own too: Erlang's would outlive the run. Data survive a restart if asked."""

    name = "rabbitmq"
    durable = True
    plugins: tuple[str, ...] = ()
    further = ""  # lines of the node's configuration file

    def __init__(self, folder: Path, spawn: Spawn, *, port: int = 0) -> None:
        self._program = find_server()
        self._epmd: Process | None = None
        self._hosts: set[int] = set()
        self._password = secrets.token_hex(16)
        self._node = f"assay-{secrets.token_hex(6)}@localhost"
        self._console = Console(self._node)
        VirtualHosts.__init__(self, folder, spawn)
        Served.__init__(self, folder, spawn, port)

    # -- the process

    def _start(self) -> Process:
        for _ in range(TRIES):
            port = self.port or free_port(self.host)
            process = self._launch(port)
            booted = partial(self._booted, process)
            try:
                wait_until(booted, what="RabbitMQ to serve", timeout_s=READY_S, poll_s=0.05)
            except HarnessError as error:
                raise HarnessError(f"{error}\n{process.last_words()}") from None
            if process.alive():
                self.port = port
                return process
            words = process.last_words()
            process.close()
            if TAKEN not in words:
                raise HarnessError(f"RabbitMQ did not start\n{words}")
            if self._asked_port:
                raise UsageError(f"port {port} is taken: name another by --port, or none for a free one")
        raise HarnessError(f"RabbitMQ found no free port in {TRIES} tries\n{words}")

    def _booted(self, process: Process) -> bool:
        return not process.alive() or self._console.answers()

    def _launch(self, port: int) -> Process:
        self._start_epmd()
        (self.folder / "rabbitmq.conf").write_text(
            CONFIG.format(host=self.host, port=port, user=USER, password=self._password) + self.further
        )
        (self.folder / "plugins").write_text(f"[{','.join(self.plugins)}].")
        environment = {
            "HOME": self.folder,  # of the cookie
            "ERL_EPMD_PORT": self._epmd_port,
            "ERL_FLAGS": "-start_epmd false",
            "ERL_CRASH_DUMP_SECONDS": 0,
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_DIST_PORT": free_port(self.host),
            "RABBITMQ_MNESIA_BASE": self.folder / "data",
            "RABBITMQ_LOG_BASE": self.folder,
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": self.folder / "rabbitmq",
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_ENABLED_PLUGINS_FILE": self.folder / "plugins",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none",
            "RABBITMQ_ALLOW_INPUT": 1,  # the script becomes the node, so that its pid is the node's
        }
        console = CONSOLE.replace("@NAME@", self._node).replace("@USER@", USER)
        argv = ["env", *(f"{name}={value}" for name, value in environment.items())]
        argv += [self._program, "-noinput", "-eval", console]
        return self._spawn(argv, log=self.log, name="RabbitMQ")

    def _start_epmd(self) -> None:
        if self._epmd is None:
            self._epmd_port = free_port(self.host)
            argv = ["epmd", "-port", str(self._epmd_port), "-address", self.host]
            self._epmd = self._spawn(argv, log=self.folder / "epmd.log", name="Erlang's port mapper")
            wait_until(partial(serves, self.host, self._epmd_port), what="Erlang's port mapper to serve")

    def restart(self, *, with_data: bool = False) -> None:
        """Kill, and start again at the same address: with what was durable, or with new and empty virtual hosts."""
        if with_data and not self._process.stopped():  # one that stands still has written before
            self._console.write()
        super().restart(with_data=with_data)
        if not with_data:
            for db in self._hosts:
                self._console.make(_host(db))

    def pause(self) -> None:
        self._console.write()
        super().pause()

    def _forget_data(self) -> None:
        shutil.rmtree(self.folder / "data", ignore_errors=True)

    def disconnect(self) -> None:
        self._console.disconnect()

    def stop(self) -> str:
        """Kill it: nothing of it is needed any more, and an orderly end takes seconds."""
        self.disconnect()
        for process in (self._process, self._epmd):
            if process is not None:
                process.send(signal.SIGCONT)
                process.kill()
                process.close()
        self._epmd = None
        return self._stop_results()

    # -- what is in it

    def url(self, db: int) -> str:
        """`amqp://USER:PASSWORD@127.0.0.1:PORT/VHOST`; the virtual host is made when it is first asked for."""
        with self._one_at_a_time:
            if db not in self._hosts:
                self._console.make(_host(db))
                self._hosts.add(db)
        return f"amqp://{USER}:{self._password}@{self.host}:{self.port}/{_host(db)}"

    def _queues(self, db: int) -> dict[str, Queue]:
        return self._console.queues(_host(db))

    def _connection(self, db: int) -> "Connection":
        from amqp import Connection

        made = Connection(f"{self.host}:{self.port}", USER, self._password, virtual_host=_host(db))
        made.connect()
        return made

    def flush(self, db: int) -> None:
        """Remove all that a run has put there."""
        if db in self._hosts:
            self._hosts.remove(db)
            self._console.drop(_host(db))
        self._flush_results(db)

    def version(self) -> str:
        return self._console.version()


def _host(db: int) -> str:
    return f"assay-{db}"
