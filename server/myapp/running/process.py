"""A script as a process: started, listened to, ended with everything that it started."""

from __future__ import annotations

import codecs
import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from autotest.environment import environment

LAUNCHER = Path(__file__).with_name("launcher.py")
MIB = 1 << 20
CHUNK = 65536


@dataclass(frozen=True)
class Ended:
    """`exit_code` is negative for a signal and None where the script was stopped at its timeout."""

    exit_code: int | None
    timed_out: bool = False
    stopped: bool = False


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


class ScriptProcess:
    """A context manager: whatever ends the block, the script and all its descendants are gone afterwards."""

    def __init__(self, script: Path, arguments: list[str], env: dict[str, str], cwd: Path) -> None:
        control_r, self._control = os.pipe()
        self._status, status_w = os.pipe()
        spec = {"argv": [sys.executable, str(script), *arguments], "env": env, "cwd": str(cwd), "limits": limits()}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LAUNCHER), str(control_r), str(status_w), json.dumps(spec)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(control_r, status_w),
                env={"PATH": env["PATH"]},
            )
        finally:
            os.close(control_r)
            os.close(status_w)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def follow(self, timeout_s: float, hear: Callable[[str], bool], every_s: float = 0.5) -> Ended:
        """Hand over output as it comes, at most every `every_s`, until the script ends, is late, or is not wanted.

        `hear` gets what is new (NUL, which no database takes, replaced) and says whether to go on.
        """
        assert self._process.stdout is not None
        output = self._process.stdout.fileno()
        os.set_blocking(output, False)
        deadline, next_at, new = time.monotonic() + timeout_s, time.monotonic(), ""
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
                    new, next_at = "", now + every_s
                for _ in selector.select(min(deadline, next_at) - now):
                    data = os.read(output, CHUNK)
                    open_ = bool(data)
                    new += self._decoder.decode(data, final=not data).replace("\0", "\N{SYMBOL FOR NULL}")
        hear(new)
        status = os.read(self._status, 16)
        return Ended(int(status) if status else None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        os.close(self._control)  # the launcher ends everything, then itself
        self._process.wait()
        os.close(self._status)
        if self._process.stdout is not None:
            self._process.stdout.close()
