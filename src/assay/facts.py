"""The facts of a run, kept in its folder so that it can be judged again."""

from pathlib import Path

import msgspec

from assay.conclusion import Facts
from assay.errors import UsageError

NAME = "facts.json"


def keep(facts: Facts, folder: Path) -> None:
    """Written beside and renamed: a run that is killed here leaves the old facts or the new."""
    path = folder / NAME
    path.with_suffix(".new").write_bytes(msgspec.json.encode(facts))
    path.with_suffix(".new").rename(path)


def read(folder: Path) -> Facts:
    """Raises UsageError for a folder without them, or with damaged ones."""
    path = folder / NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Facts)
    except FileNotFoundError:
        raise UsageError(f"{folder} is not a run folder: it has no {NAME}") from None
    except msgspec.MsgspecError as error:
        raise UsageError(f"{path} is damaged or of another version of Assay: {error}") from None
