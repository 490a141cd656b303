"""Where a line of the sources is in the repository, as the servers that show it name it."""

import os
from pathlib import Path
from typing import NamedTuple


class Checkout(NamedTuple):
    """`workdir` is what places are told from, `root` the repository's folder; both absolute."""

    root: Path
    workdir: Path

    @classmethod
    def of(cls, workdir: Path) -> "Checkout":
        """Of the repository that the folder is in; the folder alone where it is in none."""
        here = workdir.resolve()
        return cls(next((each for each in (here, *here.parents) if (each / ".git").exists()), here), here)

    def locate(self, place: str) -> tuple[str, int]:
        """The path from the root, with slashes, and the line of "file:line"; ("", 1) for what is not in there."""
        file, _, number = place.rpartition(":")
        if not file or not number.isdecimal():
            file, number = place, "1"
        path = Path(os.path.normpath(self.workdir / file)) if file else Path("/")
        if not path.is_relative_to(self.root) or path == self.root:
            return "", 1
        return path.relative_to(self.root).as_posix(), max(1, int(number))
