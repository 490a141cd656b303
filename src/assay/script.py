"""What a hollow body does, attempt by attempt, and where an attempt holds: written by the harness, read in the worker.

A script is a small file named by the invocation's id, so the message itself stays exactly what the app would send.
"""

import uuid
from pathlib import Path
from typing import Literal

import msgspec

from assay.canvas import Canvas
from assay.event import Point


class Act(msgspec.Struct, frozen=True, omit_defaults=True):
    """One attempt. `work_s` is real (already scaled) time; the effect is recorded after it, before the body ends."""

    ends: Literal["return", "raise", "replace", "sys_exit", "os_exit", "kill_self", "ignore", "reject", "requeue"] = (
        "return"
    )
    by: Canvas | None = None  # what it replaces itself by, where it ends so
    error: Literal["transient", "plain"] = "plain"  # transient: what the task retries for
    work_s: float = 0.0
    ignores_soft: bool = False  # is never interrupted by a SoftTimeLimitExceeded
    handles_soft: bool = False  # catches it, cleans up, returns
    ignores_term: bool = False
    result_bytes: int = 0
    memory_mib: int = 0


class Hold(msgspec.Struct, frozen=True):
    """Wait at `point` in the `attempt`-th start (0 is the first, -1 each), until the harness lets go."""

    point: Point
    attempt: int = 0


class Script(msgspec.Struct, frozen=True, omit_defaults=True):
    """`acts[n]` is what the n-th start does; the last one repeats. `counted`: its starts are among its task's."""

    acts: tuple[Act, ...] = (Act(),)
    holds: tuple[Hold, ...] = ()
    counted: bool = False

    def act(self, start: int) -> Act:
        return self.acts[min(start, len(self.acts) - 1)]


_decode = msgspec.json.Decoder(Script).decode
DEFAULT = Script()


#: the "invocation" whose script holds a child that leaves after its last task
RECYCLING = "recycling"
#: what `link` and `link_error` of a publication call, in a worker that was asked to have them
LINK, LINK_ERROR = "assay.link", "assay.link_error"


def new_id() -> str:
    """For an invocation that has a script: a UUID of version 8, which is free for anybody's use (RFC 9562).

    Celery's own are of version 4, so that a worker sees at once which invocations have a script.
    """
    return str(uuid.UUID(int=uuid.uuid4().int & ~(0xF << 76) | 8 << 76))


def is_scripted(invocation: str) -> bool:
    return invocation[14:15] == "8" or invocation == RECYCLING


def write(folder: Path, invocation: str, script: Script) -> None:
    """Before the message is published, so that no attempt can start without it."""
    (folder / invocation).write_bytes(msgspec.json.encode(script))


def read(folder: str, invocation: str) -> Script:
    """The invocation's script, or the default one (return at once)."""
    try:
        with open(f"{folder}/{invocation}", "rb") as file:
            return _decode(file.read())
    except FileNotFoundError:
        return DEFAULT
