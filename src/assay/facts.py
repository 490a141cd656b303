"""The facts of a run, kept in its folder so that it can be judged again."""

from pathlib import Path

import msgspec

from assay.conclusion import Facts
from assay.kept import kept

NAME = "facts.json"


def keep(facts: Facts, folder: Path) -> None:
    """Written beside and renamed: a run that is killed here leaves the old facts or the new."""
    path = folder / NAME
    path.with_suffix(".new").write_bytes(msgspec.json.encode(facts))
    path.with_suffix(".new").rename(path)


def read(folder: Path) -> Facts:
    """Raises UsageError for a folder without them, or with damaged ones."""
    return kept(folder / NAME, Facts, "a run folder")
