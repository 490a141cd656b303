"""The harness's handle on the zygote: the app imported once, workers and clients forked from it in milliseconds."""

import shutil
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import msgspec

from assay.audit.written import Written
from assay.boot import BASE_CALLS, MIGRATED, NO_MIGRATIONS, Boot
from assay.errors import HarnessError, UsageError
from assay.flip import Flip
from assay.process import LAST_WORDS, Parent, Process, Supervisor
from assay.redirection import Redirection
from assay.subject import LeftOut, Subject

IMPORT_S = 300.0
MIGRATES_S = 3600.0
CALLS_S = 30.0


class Zygote:
    """Loads the app under test in a process of its own. Raises UsageError with what is wrong with the app."""

    def __init__(
        self,
        supervisor: Supervisor,
        app: str,
        workdir: Path,
        *,
        env: dict[str, str],
        pool: str = "",
        migrations: bool = True,
        fixtures: Sequence[str] = (),
        audit: bool = False,
        flips: Sequence[Flip] = (),
    ) -> None:
        self._supervisor = supervisor
        self._migrations = migrations
        self._fixtures = list(fixtures)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
        with NamedTemporaryFile(prefix="zygote-", suffix=".log", dir=supervisor.folder, delete=False) as log:
            self.log = Path(log.name)  # its own: a run may have several
        self.process = supervisor.spawn(
            [sys.executable, "-m", "assay.zygote"], log=self.log, cwd=workdir, pass_fds=[theirs.fileno()], name="zygote"
        )
        theirs.close()
        self._parent = Parent(ours, "zygote")
        self._templates: dict[str, str] | None = None
        self._lock = threading.Lock()
        try:
            request = {"app": app, "workdir": str(workdir), "env": env, "pool": pool, "audit": audit}
            request["flips"] = msgspec.to_builtins(list(flips))
            answer = self._parent.ask(request, timeout_s=IMPORT_S)
        except HarnessError:
            raise UsageError(self._without_answer(app)) from None
        if answer.get("broke"):
            raise HarnessError(answer["broke"])
        if "error" in answer:
            raise UsageError(answer["error"])
        self.subject = msgspec.convert(answer["subject"], Subject)
        self.written = msgspec.convert(answer.get("written", {}), Written)
        self.no_redis: str = answer["no_redis"]  # why the app's kombu cannot use one; "": it can

    def _without_answer(self, app: str) -> str:
        """Its log goes with the run, so what it said is told here."""
        if not self.process.gone(5.0):
            return f"importing {app} did not end within {IMPORT_S:g} s"
        status = self.process.wait()
        how = f"was killed by signal {-status}" if status < 0 else f"left by itself with status {status}"
        said = self.log.read_text(errors="replace").splitlines()[-LAST_WORDS:] if self.log.exists() else []
        return "\n".join([f"the process that imported {app} {how}", *(f"  | {line}" for line in said)])

    def stand_in_for(self, other: "Zygote", *, itself: bool = False) -> None:
        """Be driven as if this were the app that `other` has loaded, with its databases: this one was flipped.

        Or be the flipped app `itself`, on those databases.
        """
        self._templates = other.prepare_databases()
        if not itself:
            self.subject = other.subject

    def close(self) -> None:
        """End it, and all that was forked from it."""
        self._parent.close()
        self.process.kill()
        self.process.close()

    def fork(self, boot: Boot, fds: list[int] | None = None) -> Process:
        answer = self._parent.ask({"boot": msgspec.to_builtins(boot)}, fds or [])
        passing = self._supervisor.folder
        return Process(answer["pid"], self._parent, Path(boot.log), boot.name or boot.role, passing=passing)

    def databases(self, folder: Path) -> dict[str, str]:
        """Private copies of the app's databases, migrated once in a run. Raises UsageError when that fails."""
        copies = {}
        for alias, template in self.prepare_databases().items():
            copies[alias] = str(folder / Path(template).name)
            shutil.copyfile(template, copies[alias])
        return copies

    def prepare_databases(self) -> dict[str, str]:
        """The migrated templates by alias, made at the first call."""
        with self._lock:
            if self._templates is None:
                self._templates = self._migrate() if self.subject.databases else {}
            return self._templates

    def _migrate(self) -> dict[str, str]:
        home = self._supervisor.folder
        files = {alias: str(home / f"{alias}.sqlite3") for alias in self.subject.databases}
        log = home / "migrate.log"
        redirection = Redirection(broker_url="memory://", databases=files)
        process = self.fork(
            Boot(
                role="migrate",
                folder=str(home),
                log=str(log),
                name="",
                redirection=redirection,
                migrations=self._migrations,
                fixtures=self._fixtures,
            )
        )
        if not process.gone(MIGRATES_S):
            raise UsageError(
                f"migrating private copies of the databases did not end within {MIGRATES_S:g} s: {NO_MIGRATIONS}"
            )
        if process.wait() != 0:
            said = [line for line in log.read_text(errors="replace").splitlines() if line.startswith("MIGRATION: ")]
            raise UsageError(said[-1].removeprefix("MIGRATION: ") if said else process.last_words())
        process.close()
        if (told := home / MIGRATED).exists():
            self.subject.warnings.append(told.read_text(encoding="utf-8"))
        return files

    def base_calls(self, calls: dict[str, dict[str, Any]]) -> dict[str, LeftOut]:
        """{task: what does not let its body run, so called}; nothing where that ends or hangs the process.

        `calls` are {task: its args and kwargs}.
        """
        home = self._supervisor.folder
        apart = home / "base_calls"
        apart.mkdir()
        redirection = Redirection(broker_url="memory://", databases=self.databases(apart))
        process = self.fork(
            Boot(
                role="base_calls",
                folder=str(apart),
                log=str(apart / "log"),
                name="",
                redirection=redirection,
                calls=calls,
            )
        )
        if not process.gone(CALLS_S):
            process.kill()
        process.close()
        answer = apart / BASE_CALLS
        return msgspec.json.decode(answer.read_bytes(), type=dict[str, LeftOut]) if answer.exists() else {}


class Client:
    """The harness's end of a forked client process. Calls are serialised."""

    def __init__(self, zygote: Zygote, boot: Boot) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel.settimeout(60.0)
        for end in (self._channel, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
        self.process = zygote.fork(boot, [theirs.fileno()])
        theirs.close()
        self._lock = threading.Lock()

    def ask(self, do: str, **arguments: Any) -> Any:
        """Raises HarnessError when the client died or answered with an error."""
        with self._lock:
            try:
                self._channel.send(msgspec.json.encode({"do": do, **arguments}))
                data = self._channel.recv(1 << 22)
            except OSError as error:
                raise HarnessError(f"the client did not answer {do}: {error}\n{self.process.last_words()}") from None
        if not data:
            raise HarnessError(f"the client died at {do}\n{self.process.last_words()}")
        answer = msgspec.json.decode(data)
        if "error" in answer:
            raise HarnessError(f"{do}: {answer['error']}: {answer['message']}")
        return answer["ok"]

    def close(self) -> None:
        self._channel.close()
        self.process.kill()
        self.process.close()
