"""`assay page`: a run as one HTML file."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.given import need_writable, run_folder
from assay.cli.options import FILE
from assay.cli.telling import program, short, write
from assay.errors import UsageError
from assay.exits import say

if TYPE_CHECKING:
    from assay.report import Report

NAME = "report.html"
PATH = click.Path(path_type=Path)


@click.command()
@click.argument("given", metavar="RUN", type=PATH)
@click.option("--base", metavar="BASE", type=PATH, help="A run, a baseline or a folder of runs to compare with.")
@click.option("--out", type=FILE, help="The file, - is stdout; default: report.html in RUN.")
def page(given: Path, base: Path | None, out: Path | None) -> int:
    """Make the report page of a run: one HTML file that opens offline."""
    folder = run_folder(given)
    out = out or folder / NAME
    need_writable(out)
    text = page_of(folder, out, base)
    if failed := write(out, text):
        raise UsageError(failed)
    if str(out) != "-":
        say(f"{short(out.absolute())}\n")
    return 0


def page_of(folder: Path, out: Path, base: Path | None = None) -> str:
    """The page of a run folder. `base`: as `assay compare` takes it.

    Raises UsageError for what is damaged, and for what cannot be compared.
    """
    from assay.compare import compare, sources
    from assay.page.made import made
    from assay.reports.json import MARKS

    report, compared, before = _report(folder), None, None
    if base is not None:
        source = sources.base(base, report)
        compared = compare(source.reports, report)
        compared.notes = [*source.notes, *compared.notes]
        if any((base / mark).is_file() for mark in MARKS):  # no baseline, which has no events
            before = base, source.reports[-1]
    lies = None if str(out) == "-" else out
    return made(folder, report, out=lies, program=program(), comparison=compared, base=before)


def _report(folder: Path) -> "Report":
    """As it was written; of a run that was broken off, judged now."""
    from assay.reports import json

    if (folder / json.NAME).exists():
        return json.read(folder)
    from assay.run import check_again

    return check_again(folder)
