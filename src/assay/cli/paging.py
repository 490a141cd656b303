"""`assay page`: a run as one HTML file."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.given import need_writable, run_folder
from assay.cli.options import FILE
from assay.cli.telling import program, short
from assay.errors import UsageError
from assay.exits import say

if TYPE_CHECKING:
    from assay.report import Report

NAME = "report.html"
PATH = click.Path(path_type=Path)

about_page = click.option(
    "--html", "html_file", type=click.Path(dir_okay=False, path_type=Path), help="Also write the report page here."
)


@click.command()
@click.argument("given", metavar="RUN", type=PATH)
@click.option("--base", metavar="BASE", type=PATH, help="A run, a baseline or a folder of runs to compare with.")
@click.option("--out", type=FILE, help="The file, - is stdout; default: report.html in RUN.")
def page(given: Path, base: Path | None, out: Path | None) -> int:
    """Make the report page of a run: one HTML file that opens offline."""
    folder = run_folder(given)
    if str(out) == "-":
        say(made(folder, None, base))
        return 0
    out = out or folder / NAME
    need_writable(out)
    write_page(folder, out, base)
    say(f"{short(out.absolute())}\n")
    return 0


def write_page(folder: Path, out: Path | None, base: Path | None = None) -> None:
    """Nothing where no file was asked for. Raises UsageError, as `made` does."""
    if out is None:
        return
    text = made(folder, out, base)
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from None


def made(folder: Path, out: Path | None, base: Path | None = None) -> str:
    """The page of a run folder, as it is to be written to `out`; its links are from there.

    `base`: as `assay compare` takes it. Raises UsageError for what is damaged, and for what cannot be compared.
    """
    from assay.compare import compare, sources
    from assay.page.changing import changes
    from assay.page.compose import page as composed
    from assay.page.gather import gather
    from assay.page.render import fitting, links_to
    from assay.reports.json import MARKS

    found, changed, before = gather(folder, _report(folder)), None, None
    if base is not None:
        source = sources.base(base, found.report)
        compared = compare(source.reports, found.report)
        compared.notes = [*source.notes, *compared.notes]
        changed = changes(compared)
        if any((base / mark).is_file() for mark in MARKS):  # no baseline, which has no events
            before = gather(base, source.reports[-1])
    return fitting(
        lambda most: composed(found, most=most, program=program(), changes=changed, base=before),
        links_to(folder, out) if out else "",
    )


def _report(folder: Path) -> "Report":
    """As it was written; of a run that was broken off, judged now."""
    from assay.reports import json

    if (folder / json.NAME).exists():
        return json.read(folder)
    from assay.run import check_again

    return check_again(folder)
