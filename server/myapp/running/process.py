"""A script as a process: started, listened to, ended with everything that it started."""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autotest.environment import environment
from myapp.running import launcher

LAUNCHER = Path(launcher.__file__)
MIB = 1 << 20
CHUNK = 65536
FAREWELL_S = 10.0


@dataclass(frozen=True)
class Ended:
    """`exit_code` is negative for a signal and None where the script was stopped before its end."""

    exit_code: int | None
    timed_out: bool = False
    stopped: bool = False

    @property
    def why(self) -> str:
        """In words, where the exit code alone does not tell."""
        if self.exit_code is None:
            return "the script's end was not seen"
        if self.exit_code >= 0:
            return ""
        try:
            return f"killed by {signal.Signals(-self.exit_code).name}"
        except ValueError:
            return f"killed by signal {-self.exit_code}"


def limits() -> dict[str, int]:
    env = environment()
    return {
        "RLIMIT_CPU": env.script_cpu_s,
        "RLIMIT_AS": env.script_memory_mib * MIB,
        "RLIMIT_FSIZE": env.script_file_mib * MIB,
        "RLIMIT_NPROC": env.script_processes,
        "RLIMIT_NOFILE": 256,
        "RLIMIT_CORE": 0,
    }


@contextmanager
def script_process(
    script: Path, arguments: list[str], env: dict[str, str], cwd: Path, timeout_s: float
) -> Iterator[ScriptProcess]:
    """The running script. Whatever ends the block, it and all its descendants are gone afterwards.

    A time limit raises wherever it finds the task, between any two lines here: so what must be closed is in a `finally`
    before the process is there, and is a file, which closes itself where even that did not run.
    """
    spec = {
        "argv": [sys.executable, str(script), *arguments],
        "env": env,
        "cwd": str(cwd),
        "limits": limits(),
        "most_s": timeout_s + 60,
    }
    control_r, control_w = (os.fdopen(fd, mode, 0) for fd, mode in zip(os.pipe(), ("rb", "wb"), strict=True))
    status_r, status_w = (os.fdopen(fd, mode, 0) for fd, mode in zip(os.pipe(), ("rb", "wb"), strict=True))
    process = None
    with status_r, control_r, status_w:
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LAUNCHER), str(control_r.fileno()), str(status_w.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(control_r.fileno(), status_w.fileno()),
                env={"PATH": env["PATH"]},
            )
            control_r.close()
            status_w.close()
            # Not as an argument: command lines can be read by every user, and hold 128 KiB at most.
            with contextlib.suppress(BrokenPipeError):  # it died at once; follow() will see it
                _write_all(control_w.fileno(), json.dumps(spec).encode() + b"\n")
            yield ScriptProcess(process, status_r.fileno(), timeout_s)
        finally:
            control_w.close()  # the launcher ends everything, then itself
            if process is not None:
                _farewell(process)


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _farewell(process: subprocess.Popen[bytes]) -> None:
    try:
        process.send_signal(signal.SIGCONT)  # a script may have stopped the launcher
        process.wait(FAREWELL_S)
    except subprocess.TimeoutExpired:
        launcher.kill_all(process.pid)
        process.kill()
        process.wait()
    finally:
        if process.stdout is not None:
            process.stdout.close()


@dataclass(frozen=True)
class ScriptProcess:
    """A script that runs; made by `script_process`."""

    process: subprocess.Popen[bytes]
    status: int
    timeout_s: float

    def follow(self, hear: Callable[[str], bool], *, most: int, every_s: float = 0.5) -> Ended:
        """Hand over output as it comes, at most every `every_s`, until the script ends, is late, or is not wanted.

        `hear` gets what is new (NUL, which no database takes, replaced) and says whether to go on. Of output that comes
        faster than it is heard, a little more than `most` characters are kept at a time: a script that prints without
        end must not fill the worker's memory.
        """
        assert self.process.stdout is not None
        output = self.process.stdout.fileno()
        os.set_blocking(output, False)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        deadline, next_at, new = time.monotonic() + self.timeout_s, time.monotonic(), ""
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            open_ = True
            while open_:
                now = time.monotonic()
                if now >= deadline:
                    hear(new)
                    return Ended(None, timed_out=True)
                if now >= next_at:
                    if not hear(new):
                        return Ended(None, stopped=True)
                    # Counted from the end: a database that is slow today is not asked twice as often.
                    new, next_at = "", time.monotonic() + every_s
                for _ in selector.select(max(0.0, min(deadline, next_at) - now)):
                    data = os.read(output, CHUNK)
                    open_ = bool(data)
                    text = decoder.decode(data, final=not data)
                    if len(new) <= most:
                        new += text.replace("\0", "\N{SYMBOL FOR NULL}")
        if not hear(new):
            return Ended(None, stopped=True)
        status = os.read(self.status, 16)
        return Ended(int(status) if status else None)
