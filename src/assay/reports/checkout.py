"""Where a line of the sources is in the repository, as the servers that show it name it."""

import os
from pathlib import Path
from typing import NamedTuple

GATES = ("[gate]", "[tool.assay.gate]")
#: where CI servers have the repository: they read paths from there, whether or not there is a .git
ROOTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")


class Checkout(NamedTuple):
    """`workdir` is what places are told from, `root` the repository's folder; both absolute.

    `config` is the place of Assay's configuration, "" where there is none.
    """

    root: Path
    workdir: Path
    config: str = ""

    @classmethod
    def of(cls, workdir: Path, config: Path | None = None) -> "Checkout":
        """Of the repository that the folder is in; where it is in none, the folder that it shares with `config`."""
        here = workdir.resolve()
        file = config.resolve() if config else None
        told = [Path(os.environ[name]).resolve() for name in ROOTS if os.environ.get(name)]
        kept = [each for each in (here, *here.parents) if (each / ".git").exists()]
        near = [file.parent] if file else []
        root = next((each for each in (*told, *kept, *near) if here.is_relative_to(each)), here)
        return cls(root, here, f"{file}:{_line(file)}" if file else "")

    def locate(self, place: str) -> tuple[str, int]:
        """The path from the root, with slashes, and the line of "file:line"; ("", 1) for what is not in there."""
        file, _, number = place.rpartition(":")
        if not file or not number.isdecimal():
            file, number = place, "1"
        path = Path(os.path.normpath(self.workdir / file)) if file else Path("/")
        if not path.is_relative_to(self.root) or path == self.root:
            return "", 1
        return path.relative_to(self.root).as_posix(), max(1, int(number))


def _line(config: Path) -> int:
    """Of the demands of a gate in it, else the first."""
    try:
        lines = config.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return 1
    return next((number for number, line in enumerate(lines, 1) if line.strip() in GATES), 1)
