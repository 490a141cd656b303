"""Where a script runs and what it sees: its folder and its environment."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.exceptions import ValidationError

from autotest.environment import environment

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
RESERVED = re.compile(r"(LD_|PYTHON|DJANGO|CELERY|REDIS|DATABASE|SECRET)", re.IGNORECASE)


def checked_directory(asked: str) -> Path | None:
    """The folder that was asked for, below SCRIPT_ROOT; None for a new, empty one. Raises ValidationError."""
    if not asked:
        return None
    root = environment().script_root.resolve()
    path = (root / asked).resolve()
    if not path.is_relative_to(root):
        raise ValidationError({"working_directory": f"must lie below {root.name}/"})
    if not path.is_dir():
        raise ValidationError({"working_directory": "is not a folder there"})
    return path


@contextmanager
def workplace(asked: str) -> Iterator[Path]:
    """The script's current folder; a new one is removed afterwards."""
    given = checked_directory(asked)
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="autotest-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def scrubbed(extra: dict[str, str], folder: Path) -> dict[str, str]:
    """What the script's environment holds: nothing of the worker's own, whose secrets are in there.

    Variables that change how programs are loaded, or that look like the service's own, are not taken from anybody.
    """
    made = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    for name, value in extra.items():
        if not VARIABLE.match(name) or RESERVED.match(name):
            raise ValidationError({"environment": f"{name} cannot be set"})
        made[name] = str(value)
    return made
