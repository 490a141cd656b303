"""A memory limit for one process that is over it: the kernel kills it for that, as it does in a container.

By a control group: cgroup v2 where it governs memory, else v1. It takes the right to make one below the harness's own,
which root has in most containers, and users have where systemd delegates it.
Source: the kernel's admin-guide/cgroup-v2.rst (memory.max, memory.events) and cgroup-v1/memory.rst.
"""

import contextlib
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

from assay.errors import HarnessError

LIMIT = 4096  # bytes: one page, and it needs more
NAME = "assay"
V1, V2 = "memory.limit_in_bytes", "memory.max"


def obstacle() -> str:
    """Why no limit can be set here; "" where it can. Tried."""
    try:
        MemoryLimit().close()
    except HarnessError as error:
        return str(error)
    return ""


class MemoryLimit:
    """A control group, removed at the end. Raises HarnessError where this user may make none."""

    def __init__(self) -> None:
        home = _own()
        for left in home.glob(f"{NAME}-*"):  # by a harness that was killed
            if not Path(f"/proc/{left.name.split('-')[1]}").exists():
                _remove(left)
        self._group = home / f"{NAME}-{os.getpid()}-{secrets.token_hex(6)}"
        try:
            self._group.mkdir()
        except OSError as error:
            raise HarnessError(f"no control group can be made in {self._group.parent}: {error.strerror}") from None
        self._v2 = (self._group / V2).exists()
        try:
            (self._group / (V2 if self._v2 else V1)).write_text(str(LIMIT))
        except OSError as error:
            self.close()
            raise HarnessError(f"control groups below {self._group.parent} limit no memory: {error.strerror}") from None

    def put(self, pid: int) -> None:
        """From now on each new page of this process is too much. Pages that it has stay with its old group."""
        try:
            (self._group / "cgroup.procs").write_text(str(pid))
        except OSError as error:
            raise HarnessError(f"process {pid} cannot be put into a control group: {error.strerror}") from None

    def killed(self) -> bool:
        """Whether the kernel says that it has killed a process of this group for its memory."""
        told = (self._group / ("memory.events" if self._v2 else "memory.oom_control")).read_text().splitlines()
        return any(line.startswith("oom_kill ") and int(line.split()[1]) > 0 for line in told)

    def close(self) -> None:
        _remove(self._group)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def _remove(group: Path) -> None:
    with contextlib.suppress(OSError):
        group.rmdir()


def _own() -> Path:
    """The harness's own control group, where memory is governed. Source: cgroups(7), /proc/PID/cgroup."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        for _, mount, kind, options, *_ in mounts:
            v1 = kind == "cgroup" and "memory" in options.split(",") and "memory" in controllers.split(",")
            if v1 or (kind == "cgroup2" and number == "0"):
                place = Path(mount + path)
                if v1 or "memory" in _controllers(place):
                    return place
    raise HarnessError("there is no control group that governs memory")


def _controllers(place: Path) -> list[str]:
    with contextlib.suppress(OSError):
        return (place / "cgroup.controllers").read_text().split()
    return []
