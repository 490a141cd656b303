"""What a run's files held when they were judged, so that a damaged or partly copied folder is refused, not judged.

An event file may have grown since: its process may have died late. What it held then must still be its beginning.
"""

import zlib
from pathlib import Path

import msgspec

from assay.counted import counted
from assay.errors import UsageError

MEND = (
    "the run folder is damaged or was copied in part, so there is no verdict: copy all of it again from where it was "
    "run, or run again"
)


class Extent(msgspec.Struct, frozen=True, array_like=True):
    """The beginning of a file: how many bytes, and their CRC-32."""

    size: int = 0
    crc: int = 0

    def plus(self, data: bytes) -> "Extent":
        return Extent(self.size + len(data), zlib.crc32(data, self.crc))


Inventory = dict[str, Extent]  # by the files' names


def taken(folder: Path, *names: str) -> Inventory:
    """Of those of these files that are there."""
    return {name: Extent().plus((folder / name).read_bytes()) for name in names if (folder / name).exists()}


def must_be(folder: Path, due: Inventory) -> None:
    """Raises UsageError where one of these files is not what it was."""
    found = taken(folder, *due)
    for name, extent in due.items():
        if name not in found:
            raise missing(folder / name)
        if found[name] != extent:
            raise _lacking(folder / name, "is not what it was when the run was judged")


def must_hold(folder: Path, due: Inventory, found: Inventory) -> None:
    """Raises UsageError where event files that were read just now, `found`, lack something that is due."""
    less = [name for name, extent in due.items() if _less(folder / name, extent, found.get(name, Extent()))]
    if not less:
        return
    path, others = folder / less[0], len(less) - 1
    was, now = due[path.name].size, found.get(path.name, Extent()).size
    if not path.exists():
        what = "is missing"
    elif now < was:
        what = f"holds {now} of the {was} bytes of events that the run has judged"
    else:
        what = "does not hold the events that the run has judged"
    raise _lacking(path, what + (f" (not whole either: {counted(others, 'other file')})" if others else ""))


def missing(path: Path) -> UsageError:
    """For a file without which there is no verdict."""
    return _lacking(path, "is missing")


def _lacking(path: Path, what: str) -> UsageError:
    return UsageError(f"{path} {what}; {MEND}")


def _less(path: Path, due: Extent, found: Extent) -> bool:
    """What has grown is read again up to where it ended then."""
    if found.size <= due.size:
        return found != due
    with path.open("rb") as file:
        return Extent().plus(file.read(due.size)) != due
