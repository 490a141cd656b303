"""What a run keeps as JSON beside its events, and reads again."""

from pathlib import Path
from typing import TypeVar

import msgspec

from assay.errors import UsageError

T = TypeVar("T")


def keep(data: bytes, path: Path) -> None:
    """Written beside and renamed: a run that is killed here leaves what was there before, or this, whole."""
    draft = path.with_suffix(".new")
    draft.write_bytes(data)
    draft.rename(path)


def kept(path: Path, what: type[T], folder_is: str) -> T:
    """Raises UsageError for a damaged file, and for a missing one: then its folder is not `folder_is`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=what)
    except FileNotFoundError:
        raise UsageError(f"{path.parent} is not {folder_is}: it has no {path.name}") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise UsageError(f"{path} is damaged or of another version of Assay: {error}") from None
