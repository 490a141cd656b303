"""The channel through a folder that both sides reach: each process appends to a file of its own."""

import contextlib
import os
import secrets
import shutil
import time
from io import FileIO
from pathlib import Path

from assay.elsewhere.channel import HOLD_S
from assay.elsewhere.clocks import Reading
from assay.errors import HarnessError, UsageError
from assay.history import CHUNK

LOOK_S = 0.005  # between two looks: a folder tells nobody on another machine that it has changed
TICK_NS = 10_000_000  # file systems stamp with the kernel's tick, 4 to 10 ms
PARTS = ("lines", "boot", "script", "count", "go", "clock")


class FolderThere:
    """`prefix` is the run's own folder in `place`."""

    def __init__(self, place: str, prefix: str) -> None:
        self._home = Path(place, prefix)
        self._file: FileIO | None = None

    def forked(self) -> None:
        self._file = None

    def boot(self, worker: str) -> bytes:
        try:
            return (self._home / "boot" / worker).read_bytes()
        except FileNotFoundError:
            raise ValueError(f"there is no run that has started {worker}: {self._home} has nothing for it") from None

    def send(self, line: bytes) -> None:
        if self._file is None:
            path = self._home / "lines" / f"{secrets.token_hex(8)}"
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_DSYNC | os.O_CLOEXEC, 0o644)
            os.fchmod(fd, 0o644)  # whatever the umask is: another user is to read it
            self._file = FileIO(fd, "a")
        self._file.write(line + b"\n")

    def script(self, invocation: str) -> bytes | None:
        try:
            return (self._home / "script" / invocation).read_bytes()
        except FileNotFoundError:
            return None

    def count(self, name: str) -> int:
        fd = os.open(self._home / "count" / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            with contextlib.suppress(PermissionError):  # another user's
                os.fchmod(fd, 0o666)
            os.write(fd, b".")
            return os.lseek(fd, 0, os.SEEK_CUR) - 1
        finally:
            os.close(fd)

    def hold(self, token: str) -> None:
        until = time.monotonic() + HOLD_S
        while time.monotonic() < until and not (self._home / "go" / token).exists():
            time.sleep(LOOK_S)

    def clock(self) -> Reading:
        return _reading(self._home / "clock")


class FolderHere:
    """Makes a folder of the run's own in `place`, which any user may write to: its name is drawn."""

    def __init__(self, place: Path, prefix: str) -> None:
        self.shown = str(place)
        self._home = place / prefix
        self._read: dict[str, int] = {}
        try:
            for part in ("", *PARTS):
                (self._home / part).mkdir()
                (self._home / part).chmod(0o777 if part else 0o755)
        except OSError as error:
            raise UsageError(f"workers: recorder: {place} cannot be used: {error.strerror}") from None

    def give_boot(self, worker: str, boot: bytes) -> None:
        self._give("boot", worker, boot)

    def give_script(self, invocation: str, script: bytes) -> None:
        self._give("script", invocation, script)

    def _give(self, part: str, name: str, data: bytes) -> None:
        """Whole, or not there."""
        before = self._home / part / f".{name}"
        before.write_bytes(data)
        before.chmod(0o644)
        before.rename(self._home / part / name)

    def forget(self, invocation: str) -> None:
        for part in ("script", "count"):
            (self._home / part / invocation).unlink(missing_ok=True)

    def take(self, timeout_s: float) -> list[bytes]:
        until = time.monotonic() + timeout_s
        while not (found := self._new()) and time.monotonic() < until:
            time.sleep(LOOK_S)
        return found

    def _new(self) -> list[bytes]:
        lines: list[bytes] = []
        try:
            for entry in os.scandir(self._home / "lines"):
                offset = self._read.get(entry.name, 0)
                if entry.stat().st_size > offset:
                    with open(entry.path, "rb") as file:
                        file.seek(offset)
                        whole, newline, _ = file.read(CHUNK * 16).rpartition(b"\n")
                    self._read[entry.name] = offset + len(whole + newline)
                    lines += whole.split(b"\n") if newline else []
        except OSError as error:
            raise HarnessError(f"the recorders' folder {self.shown} cannot be read: {error.strerror}") from None
        return lines

    def release(self, token: str) -> None:
        self._give("go", token, b"")

    def clock(self) -> Reading:
        return _reading(self._home / "clock")

    def close(self) -> None:
        try:
            shutil.rmtree(self._home)
        except OSError as error:
            raise HarnessError(f"{self._home} could not be removed: {error.strerror}") from None


def _reading(folder: Path) -> Reading:
    """By the time that the file system gives a new file: the server's, where it is one of a network."""
    path = folder / secrets.token_hex(8)
    before = time.monotonic_ns()
    path.touch()
    after = time.monotonic_ns()
    shared = path.stat().st_mtime_ns
    path.unlink()
    return Reading(shared - (before + after) // 2, (after - before) // 2 + TICK_NS)
