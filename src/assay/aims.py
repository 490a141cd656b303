"""Which starts of a task stop at which crash point: counted over all processes of a cluster.

Only an invocation whose script says so is counted, so what nobody aims at costs nothing. Standard library and msgspec
only.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from assay.event import Point

NAME = "aims.json"  # in a cluster's folder; beside it a file for each task, of a byte for each start


class Aim(msgspec.Struct, frozen=True):
    """The `nth` start of the task's body, counted from 1, whichever invocation it is of, holds at `point`."""

    task: str
    nth: int
    point: Point


def write(folder: Path, aims: Sequence[Aim]) -> None:
    """Before the first worker starts."""
    (folder / NAME).write_bytes(msgspec.json.encode(list(aims)))
    for number, _ in enumerate(_tasks(aims)):
        _counter(str(folder), number).touch()


class Aims:
    """In a process of the app."""

    def __init__(self, folder: str) -> None:
        path = Path(folder) / NAME
        aims = msgspec.json.decode(path.read_bytes(), type=list[Aim]) if path.exists() else []
        self._of(aims, lambda number: str(_counter(folder, number)))

    def _of(self, aims: Sequence[Aim], counter: Callable[[int], str]) -> None:
        self._counters = {task: counter(number) for number, task in enumerate(_tasks(aims))}
        self._held = {(aim.task, aim.nth, aim.point) for aim in aims}

    def count(self, task: str) -> int:
        """Which start of the task this one is; 0 where nobody aims at it.

        What is appended goes to the end, and leaves the position of this descriptor behind it: no two starts are told
        the same number, and a kill loses none.
        """
        if (path := self._counters.get(task)) is None:
            return 0
        fd = os.open(path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(fd, b".")
            return os.lseek(fd, 0, os.SEEK_CUR)
        finally:
            os.close(fd)

    def hold(self, task: str, nth: int, point: Point) -> bool:
        return (task, nth, point) in self._held


def _tasks(aims: Sequence[Aim]) -> list[str]:
    return sorted({aim.task for aim in aims})


def _counter(folder: str, number: int) -> Path:
    """A task may have any name, a file may not."""
    return Path(folder) / f"aimed-{number}"
