"""`assay page`: a run as one HTML file."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.given import need_writable
from assay.cli.options import FILE
from assay.cli.telling import program, short
from assay.errors import UsageError
from assay.exits import say

if TYPE_CHECKING:
    from assay.report import Report

NAME = "report.html"


@click.command()
@click.argument("run_folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--out", "html_file", type=FILE, help="Write it here, - is stdout; default: report.html in RUN.")
@click.option("--base", metavar="RUN", type=click.Path(path_type=Path), help="A run to lay recovery times over.")
def page(run_folder: Path, html_file: Path | None, base: Path | None) -> int:
    """Make the report page of a run: one HTML file that opens offline."""
    from assay.reports.json import locate

    folder = locate(run_folder)
    out = html_file or folder / NAME
    need_writable(out)
    text = made(folder, out, locate(base) if base else None)
    if str(out) == "-":
        say(text)
        return 0
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from None
    say(f"{short(out.absolute())}\n")
    return 0


def made(folder: Path, out: Path, base: Path | None = None) -> str:
    """The page of a run folder, as it is to be written to `out`. Raises UsageError for what is damaged."""
    from assay.page.compose import page as composed
    from assay.page.gather import gather
    from assay.page.render import fitting, links_to

    found = gather(folder, _report(folder))
    compared = gather(base, _report(base)) if base else None
    links = "" if str(out) == "-" else links_to(folder, out)
    return fitting(lambda most: composed(found, most=most, program=program(), base=compared), links)


def _report(folder: Path) -> "Report":
    """As it was written; of a run that was broken off, judged now."""
    from assay.reports import json

    if (folder / json.NAME).exists():
        return json.read(folder)
    from assay.run import check_again

    return check_again(folder)
