"""`assay compare`, `assay baseline` and `assay trend`: a run beside earlier ones."""

from functools import partial
from pathlib import Path

import click

from assay.cli.given import need_writable, run_folder
from assay.cli.options import FILE
from assay.cli.telling import short, tell
from assay.counted import counted
from assay.errors import UsageError
from assay.exits import say
from assay.report import BASELINE

PATH = click.Path(path_type=Path)


@click.command()
@click.argument("base", metavar="BASE", type=PATH)
@click.argument("current", metavar="CURRENT", type=PATH)
@click.option("--json", "json_file", type=FILE, help="Also write compare.json here; - is stdout.")
@click.option("--markdown", "markdown_file", type=FILE, help="Also write Markdown here, for a pull request.")
def compare(base: Path, current: Path, json_file: Path | None, markdown_file: Path | None) -> int:
    """Say which guarantees got worse between two runs, and what was changed."""
    need_writable(json_file, markdown_file)
    from assay.compare import compare as compared
    from assay.compare import sources
    from assay.reports import compare as told
    from assay.reports import compare_markdown

    now = sources.current(current if current.is_file() else run_folder(current))
    source = sources.base(base, now)
    found = compared(source.reports, now)
    found.notes = [*source.notes, *found.notes]
    tell(partial(told.render, found), {json_file: told.json(found), markdown_file: compare_markdown.render(found)})
    return found.exit_code


@click.command()
@click.argument("run", metavar="RUN", type=PATH)
@click.option(
    "--out", type=FILE, default=Path(BASELINE), show_default=True, help="The file, for your repository; - is stdout."
)
@click.option("--even-red", is_flag=True, help="Even where rows did not hold, or the canary was not seen to be lost.")
def baseline(run: Path, out: Path, even_red: bool) -> int:
    """Keep what a run proved, as a small file for a repository. RUN may be a folder of runs of the same."""
    need_writable(out)
    from assay.compare import baseline as baselines
    from assay.compare import sources

    source = sources.base(run)
    kept, notes = baselines.of(source.reports, even_red=even_red)
    text = baselines.render(kept)
    for note in [*source.notes, *notes]:
        say(f"assay: {note}\n", error=True)
    if str(out) == "-":
        say(text)
        return 0
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from None
    say(f"{short(out)}: {counted(len(kept.rows), 'row')} of {counted(kept.runs, 'run')}\n")
    return 0


@click.command()
@click.argument("folder", metavar="FOLDER", type=PATH)
@click.option("--json", "json_file", type=FILE, help="Also write trend.json here; - is stdout.")
def trend(folder: Path, json_file: Path | None) -> int:
    """Show each guarantee over all runs in a folder."""
    need_writable(json_file)
    from assay.compare import sources
    from assay.compare.fit import why_not
    from assay.compare.trend import trend as found_over
    from assay.reports import trend as told

    if not folder.is_dir():
        why = "it is a file" if folder.exists() else "there is no such folder"
        raise UsageError(f"{folder} is not a folder of runs: {why}")
    source = sources.runs(folder)
    newest, notes, alike = source.reports[-1], list(source.notes), []
    for report in source.reports:
        if why := why_not(report, newest):
            notes.append(f"the run of {report.started_at} is left out: {why}")
        else:
            alike.append(report)
    found = found_over(alike, notes)
    tell(partial(told.render, found), {json_file: told.json(found)})
    return 0
