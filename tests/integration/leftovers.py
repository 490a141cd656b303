"""The real `assay` command in a process of its own, and what a run of it leaves behind: processes, ports, folders."""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from assay.wait import wait_until

SHM = Path("/dev/shm")
GONE_S = 2.0
ANOTHERS_S = 30.0  # that another call, on a machine with many of them, may need for its own folder
END_S = 1200.0  # what hangs is to be told, and a busy machine takes its time


class Command:
    """One call of `assay`. All its processes carry a marker in their environment; TMPDIR is the call's own."""

    def __init__(
        self,
        arguments: Sequence[str],
        cwd: Path,
        tmp: Path,
        env: dict[str, str] | None = None,
        program: Sequence[str] = ("-m", "assay"),
    ) -> None:
        self.marker = secrets.token_hex(8)
        self.tmp = tmp / f"tmp-{self.marker}"
        self.tmp.mkdir(parents=True)
        self.before = folders()
        self.process = subprocess.Popen(
            [sys.executable, *program, *arguments],
            cwd=cwd,
            env={**os.environ, "TMPDIR": str(self.tmp), "ASSAY_TEST_MARKER": self.marker, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # a shell's background job ignores it, and so would all that it starts
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def end(self, timeout_s: float = END_S) -> tuple[int, str, str]:
        """(exit code, stdout, stderr)"""
        out, err = self.process.communicate(timeout=timeout_s)
        return self.process.returncode, out, err

    def processes(self) -> list[psutil.Process]:
        """Those of this call that are alive, zombies left out."""
        return list(_marked(self.marker))

    def ports(self) -> set[int]:
        """On which they listen."""
        found = set()
        for process in self.processes():
            try:
                found |= {c.laddr.port for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN}
            except psutil.Error:
                continue
        return found

    def left(self, ports: set[int] = frozenset()) -> list[str]:  # type: ignore[assignment]
        """Words for all that is left of this call now, but its folder."""
        words = [f"process {p.pid}: {_told(p)}" for p in self.processes()]
        words += [f"port {port}" for port in ports & _listening()]
        return words + [f"file {path}" for path in self.tmp.iterdir()]

    def folders_left(self) -> set[Path]:
        """New ones that are in nobody's use. Another call that is just ending may have one for a moment."""
        return {folder for folder in folders() - self.before if not _in_use(folder)}

    def must_leave_nothing(self, ports: set[int] = frozenset()) -> None:  # type: ignore[assignment]
        """Within GONE_S, by which a supervisor has done its work whatever became of the harness."""
        wait_until(lambda: not self.left(ports), what=f"nothing left, but {self.left(ports)}", timeout_s=GONE_S)
        first = self.folders_left()
        wait_until(lambda: not first & folders(), what=f"no folder left, but {first}", timeout_s=ANOTHERS_S)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


def assay(
    *arguments: str,
    cwd: Path,
    tmp: Path,
    env: dict[str, str] | None = None,
    timeout_s: float = END_S,
    program: Sequence[str] = ("-m", "assay"),
) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of a call that ends by itself and leaves nothing."""
    command = Command(arguments, cwd, tmp, env, program)
    try:
        ended = command.end(timeout_s)
    except subprocess.TimeoutExpired:
        command.kill()
        raise
    command.must_leave_nothing()
    return ended


@contextmanager
def running(*arguments: str, cwd: Path, tmp: Path) -> Iterator[Command]:
    """A call that the test ends itself."""
    command = Command(arguments, cwd, tmp)
    try:
        yield command
    finally:
        if command.process.poll() is None:
            command.kill()


def folders() -> set[Path]:
    return set(SHM.glob("assay-*"))


def _marked(marker: str) -> Iterator[psutil.Process]:
    wanted = f"ASSAY_TEST_MARKER={marker}".encode()
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            if wanted in Path(f"/proc/{name}/environ").read_bytes().split(b"\0"):
                process = psutil.Process(int(name))
                if process.status() != psutil.STATUS_ZOMBIE:
                    yield process
        except (OSError, psutil.Error):
            continue


def _told(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())[:120]
    except psutil.Error:
        return "gone by now"


def _listening() -> set[int]:
    return {c.laddr.port for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN}


def _in_use(folder: Path) -> bool:
    """Whether it belongs to somebody else's living run: its supervisor is started with the folder's name."""
    wanted = str(folder).encode()
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if wanted in Path(f"/proc/{name}/cmdline").read_bytes():
                return True
        except OSError:
            continue
    return False
