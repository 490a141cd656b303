"""The folder and the progress of a command that runs something and keeps a report of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from assay.cli.telling import short, shown_progress
from assay.exits import kept_in
from assay.folder import claimed

if TYPE_CHECKING:
    from assay.settings import Settings


@contextmanager
def recording(settings: "Settings") -> Iterator[tuple["Settings", Path, Any]]:
    """(settings whose folder is this run's own, that folder as a person would type it, progress).

    Whatever ends the block, the user is told where its records are; a folder that stays empty is removed.
    """
    with claimed(settings.out, timed=settings.out_timed) as out:
        folder = short(out)
        with kept_in(folder), shown_progress() as progress:
            for note in settings.notes:
                progress.note(note)
            yield msgspec.structs.replace(settings, out=out), folder, progress
