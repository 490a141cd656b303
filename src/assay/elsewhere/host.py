"""Which machine a process is on, told by the process itself: what its clock and its pids mean anything in.

Runs in the worker: standard library only.
"""

import contextlib
import os
import socket
from pathlib import Path


def identity() -> str:
    """`hostname boot-id pid-namespace time-namespace`; what the kernel does not tell is a dash.

    Two containers of one machine share the boot id: their pids are told apart by the namespace, and so are clocks.
    """
    boot = "-"
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return " ".join([socket.gethostname().replace(" ", "_") or "-", boot, _namespace("pid"), _namespace("time")])


def name(identity: str) -> str:
    """The part that a person reads."""
    return identity.partition(" ")[0]


def clock(identity: str) -> str:
    """What shares a monotonic clock: one boot of one machine, seen from one time namespace."""
    _, boot, _, time = (identity.split(" ") + ["-"] * 4)[:4]
    return "" if boot == "-" else f"{boot} {time}"


def _namespace(kind: str) -> str:
    try:
        return os.readlink(f"/proc/self/ns/{kind}")
    except OSError:
        return "-"
