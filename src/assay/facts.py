"""The facts of a run, kept in its folder so that it can be judged again."""

from pathlib import Path

import msgspec

from assay import kept
from assay.conclusion import Facts

NAME = "facts.json"


def keep(facts: Facts, folder: Path) -> None:
    """At the run's beginning, and once more at its end."""
    kept.keep(msgspec.json.encode(facts), folder / NAME)


def read(folder: Path) -> Facts:
    """Raises UsageError for a folder without them, or with damaged ones."""
    return kept.kept(folder / NAME, Facts, "a run folder")
