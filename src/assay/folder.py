"""The folder of one run: new, its own, and gone again where nothing came of it."""

import contextlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from assay.errors import UsageError


@contextlib.contextmanager
def claimed(wanted: Path, *, timed: bool) -> Iterator[Path]:
    """A folder that no other run has. One that is named by the time (`timed`) gets -2, -3, ... where it is taken.

    Raises UsageError where what the user named is no folder, or holds something. What is empty at the end is removed.
    """
    if not timed and wanted.exists() and not wanted.is_dir():
        raise UsageError(f"{wanted} is a file, and a run needs a folder: name one by --out, or none for a new one")
    if not timed and wanted.exists() and any(wanted.iterdir()):
        raise UsageError(f"{wanted} is there already and is not empty: name another folder by --out, or remove it")
    missing = [path for path in (wanted, *wanted.parents) if not path.exists()]
    try:
        out = _made(wanted) if timed else wanted
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{wanted} cannot be made: {error.strerror}") from None
    try:
        yield out
    finally:
        for path in [out] * timed + missing:
            with contextlib.suppress(OSError):
                path.rmdir()
        if timed and wanted.parent in missing and wanted.parent.exists():
            with contextlib.suppress(OSError):
                (wanted.parent / ".gitignore").write_text("*\n")  # a run may have tens of megabytes


def _made(wanted: Path) -> Path:
    """Made by this very call, which only one of several runs that begin at once can do."""
    wanted.parent.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        out = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        with contextlib.suppress(FileExistsError):
            out.mkdir()
            return out
    raise AssertionError("unreachable")
