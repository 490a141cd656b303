"""Processes of a run: started through the supervisor, watched by pidfd, killed by pid; nothing outlives the run."""

import contextlib
import json
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any

from assay.errors import HarnessError
from assay.wait import wait_until

RECEIVE = 1 << 22
LAST_WORDS = 30
UNTOLD = ""
#: epoll_wait, epoll_pwait, pselect6, select, nanosleep, clock_nanosleep and wait4, by the machine's numbers; or untold
WAITS = {
    "x86_64": {"232", "281", "270", "23", "35", "230", "61"},
    "aarch64": {"22", "72", "101", "115", "260"},
}.get(os.uname().machine, set()) | {UNTOLD}
FUTEX = {"x86_64": "202", "aarch64": "98"}.get(os.uname().machine, "")

#: nanosleep and clock_nanosleep
SLEEPS = {"x86_64": {"35", "230"}, "aarch64": {"101", "115"}}.get(os.uname().machine, set())


class Process:
    """A process of the run: a child of the supervisor or of a zygote, who reap it and tell its exit status.

    Its descriptor is closed by `close`, by `wait` once the process is reaped, and with the last who holds this.
    `passing`: a folder that is removed at the end of the run, and with it a log that is in there.
    """

    def __init__(self, pid: int, parent: "Parent", log: Path, name: str, *, passing: Path) -> None:
        self.pid = pid
        self.log = log
        self.name = name
        self._log_stays = not log.is_relative_to(passing)
        self._parent = parent
        self.pidfd: int | None = None  # gone and reaped
        with contextlib.suppress(ProcessLookupError):
            self.pidfd = os.pidfd_open(pid)
            self._let_go = weakref.finalize(self, os.close, self.pidfd)

    def alive(self) -> bool:
        return not self.gone(0)

    def gone(self, timeout_s: float) -> bool:
        """Wait up to `timeout_s` for the process to end; True when it has."""
        pidfd = self.pidfd
        if pidfd is None:
            return True
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        return bool(poll.poll(timeout_s * 1000))

    def wait(self, timeout_s: float = 10.0) -> int:
        """The exit status (negative for a signal). Raises HarnessError when it still runs after `timeout_s`."""
        if not self.gone(timeout_s):
            raise HarnessError(f"{self.name} (pid {self.pid}) still runs after {timeout_s:g} s")
        status = self._parent.status(self.pid, timeout_s=5.0)
        self.close()
        return status

    def send(self, number: signal.Signals) -> None:
        """Deliver a signal; a process that is gone already is no error."""
        if self.pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, number)

    def kill(self) -> None:
        """SIGKILL, and wait until it has landed."""
        self.send(signal.SIGKILL)
        if not self.gone(10.0):
            raise HarnessError(f"{self.name} (pid {self.pid}) survived SIGKILL for 10 s")

    def send_group(self, number: signal.Signals) -> None:
        """The signal for every process of its session's first process group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def pause(self) -> None:
        """SIGSTOP; returns when every thread of it has stopped, or it is gone. Raises HarnessError after 10 s."""
        self.send(signal.SIGSTOP)
        wait_until(self.stopped, what=f"{self.name} (pid {self.pid}) to stop", poll_s=0.001)

    def stopped(self) -> bool:
        """Whether each thread of it stands still, or it is gone. The kernel tells only a parent: see proc(5)."""
        states = [_state(thread) for thread in Path(f"/proc/{self.pid}/task").glob("*/stat")]
        return all(state in "TtZX" for state in states) or not self.alive()

    def waits(self) -> bool:
        """Whether its main thread waits for events, a time or a child, rather than being at work. See proc(5).

        A read from a socket is work: the answer to it is what it goes on with. So is a futex: that is its turn in the
        interpreter, and it may have read a message by then. True where the kernel does not tell.
        """
        return _call(self.pid) in WAITS

    def waits_for_thread(self) -> bool:
        """Whether its main thread waits for another one: for its end, its lock, or its turn in the interpreter."""
        return _call(self.pid) == FUTEX

    def resume(self) -> None:
        self.send(signal.SIGCONT)

    def slept(self) -> int:
        """How often its main thread has given up the processor to wait, or to stand still. See proc(5), status."""
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
                if line.startswith("voluntary_ctxt_switches:"):
                    return int(line.split()[1])
        return 0

    def last_words(self) -> str:
        """Exit status and the last lines of the log, with its path where it outlives the run: whoever reads this looks
        there when the run is over.
        """
        status = f"status {self._parent.status(self.pid, timeout_s=1.0)}" if not self.alive() else "still running"
        lines = self.log.read_text(errors="replace").splitlines()[-LAST_WORDS:] if self.log.exists() else []
        where = f"log: {self.log}" if self._log_stays else "its last lines:" if lines else "it said nothing"
        return "\n".join([f"{self.name} (pid {self.pid}): {status}; {where}", *(f"  | {line}" for line in lines)])

    def close(self) -> None:
        if self.pidfd is not None:
            self.pidfd = None
            self._let_go()


def gone(pid: int, timeout_s: float) -> bool:
    """Wait up to `timeout_s` for any process to end; True when it has, though its parent may not have reaped it."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        return bool(poll.poll(timeout_s * 1000))
    finally:
        os.close(pidfd)


def sleeps(pid: int) -> bool:
    """Whether its main thread sleeps for a while of its own choosing, as SQLite does where a lock is held."""
    return _call(pid) in SLEEPS


def inherited() -> dict[str, str]:
    """The environment that a child would get. Another thread may take a name out of it meanwhile, as pytest does."""
    found = {name: os.environ.get(name) for name in os.environ}
    return {name: value for name, value in found.items() if value is not None}


def _call(pid: int) -> str:
    """The number of the system call that its main thread is in, UNTOLD where the kernel does not say."""
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/syscall").read_text().split()[0]
    return UNTOLD


def _state(stat: Path) -> str:
    """The letter after the command's name, which may hold anything; X for a thread that is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return stat.read_text().rpartition(")")[2].split()[0]
    return "X"


class Parent:
    """The harness's end of a SEQPACKET socket to a process that starts others on request and reports their exits."""

    def __init__(self, channel: socket.socket, name: str) -> None:
        self.name = name
        self._channel = channel
        self._ids = count(1)
        self._answers: dict[int, dict[str, Any]] = {}
        self._statuses: dict[int, int] = {}
        self._changed = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, name=f"assay-{name}", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = self._channel.recv(RECEIVE)
            except OSError:
                data = b""
            with self._changed:
                if not data:
                    self._ended = True
                else:
                    message = json.loads(data)
                    if "exit" in message:
                        self._statuses[message["exit"]] = message["status"]
                    else:
                        self._answers[message.get("id", 0)] = message
                self._changed.notify_all()
                if self._ended:
                    return

    def send(self, message: Mapping[str, Any], fds: Sequence[int] = ()) -> None:
        try:
            socket.send_fds(self._channel, [json.dumps(message).encode()], list(fds))
        except OSError as error:
            raise HarnessError(f"the {self.name} is gone: {error}") from None

    def ask(self, message: Mapping[str, Any], fds: Sequence[int] = (), timeout_s: float = 60.0) -> dict[str, Any]:
        """Send a request, return its answer. Raises HarnessError when none comes in time."""
        number = next(self._ids)
        self.send({**message, "id": number}, fds)
        with self._changed:
            self._changed.wait_for(lambda: number in self._answers or self._ended, timeout_s)
            if number not in self._answers:
                what = "is gone" if self._ended else f"did not answer within {timeout_s:g} s"
                raise HarnessError(f"the {self.name} {what}")
            return self._answers.pop(number)

    def started(self, timeout_s: float = 20.0) -> None:
        """Wait for its first word."""
        with self._changed:
            self._changed.wait_for(lambda: 0 in self._answers or self._ended, timeout_s)
            if self._answers.pop(0, None) is None:
                raise HarnessError(f"the {self.name} did not start")

    def status(self, pid: int, timeout_s: float) -> int:
        """Exit status of a process that has ended; -9 is assumed where its parent died first."""
        with self._changed:
            self._changed.wait_for(lambda: pid in self._statuses or self._ended, timeout_s)
            return self._statuses.get(pid, -signal.SIGKILL)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        self._reader.join(5.0)
        self._channel.close()


class Supervisor:
    """Starts the supervisor process; a context manager around everything that a run starts.

    `folder` is a new temporary folder on the machine's tmpfs where there is one, removed at the end whatever happens.
    """

    def __init__(self) -> None:
        shm = Path("/dev/shm")
        home = shm if os.access(shm, os.W_OK) else Path(tempfile.gettempdir())
        self.folder = home / f"assay-{secrets.token_hex(6)}"
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        script = Path(__file__).with_name("supervisor.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(script), str(theirs.fileno()), str(self.folder)],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        self._parent = Parent(ours, "supervisor")
        self.pid = self._process.pid
        self._parent.started()

    def spawn(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        pass_fds: Sequence[int] = (),
        name: str = "",
        sweeper: bool = False,
    ) -> Process:
        """Start a program in a session of its own. `pass_fds` become 3, 4, ... in it. Raises HarnessError.

        A `sweeper` outlives all others: it is told by SIGTERM that they are dead (see supervisor.py).
        """
        answer = self._parent.ask(
            {
                "argv": list(argv),
                # temporary folders of processes that are killed (billiard makes some) go when the run goes
                "env": {**(inherited() if env is None else env), "TMPDIR": str(self.folder / "tmp")},
                "cwd": str(cwd) if cwd else "",
                "log": str(log),
                "sweeper": sweeper,
            },
            pass_fds,
        )
        if "error" in answer:
            raise HarnessError(f"{name or argv[0]} could not be started: {answer['error']}")
        return Process(answer["pid"], self._parent, log, name or Path(argv[0]).name, passing=self.folder)

    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        """End every process of the run; returns when all are gone and the folder is removed."""
        self._parent.close()
        deadline = time.monotonic() + 20
        try:
            self._process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
