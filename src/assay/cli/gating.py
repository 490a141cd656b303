"""`assay gate`."""

from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec

from assay.cli.ci import show_on_ci
from assay.cli.given import chosen, need_linux, need_writable, settings_with_app
from assay.cli.options import about_app, about_broker, about_databases, about_files, about_jobs, about_out, about_rows
from assay.cli.recording import recording
from assay.cli.telling import command_line, keep, program, tell, texts
from assay.reports.formats import FORMATS, Files, Told


@click.command()
@about_app
@about_databases
@about_rows
@about_broker
@click.option("--pool", type=click.Choice(["prefork", "solo", "threads"]), help="Default: the app's own.")
@about_jobs
@click.option(
    "--baseline",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Compare with this baseline, run or folder of runs.",
)
@about_out
@about_files
def gate(files: Files, baseline: Path | None, scenarios: tuple[str, ...], **options: Any) -> int:
    """Decide whether this may be merged: audit, suites, canary, baseline and budgets in one verdict."""
    need_linux()
    settings = settings_with_app(**options)
    if baseline:
        settings = msgspec.structs.replace(settings, gate=msgspec.structs.replace(settings.gate, baseline=baseline))
    need_writable(*files.values())
    from assay.gating.run import gate as run_gate
    from assay.reports import audit, compare, gate
    from assay.reports.commands import replay

    selection = chosen(settings, scenarios)
    with recording(settings) as (settings, folder, progress):
        found = run_gate(settings, selection, progress, folder=str(folder))
        found.report.command = command_line()
        keep(found.report, folder)
        looked = found.audit if settings.gate.audit != "off" else None
        told = Told(found.report, folder, settings.workdir, settings.config, looked, found.gated, found.comparison)
        kept = {each.file: each.render(told) for each in FORMATS.values()}
        kept |= {"audit.json": audit.json(found.audit), "gate.json": gate.json(found.gated)}
        kept |= {"compare.json": compare.json(found.comparison)} if found.comparison else {}
        for name, text in kept.items():
            (folder / name).write_text(text, encoding="utf-8")
    show_on_ci(told, summarised="summary" in files, error=Path("-") in files.values())
    commands = replay(found.report, folder, program())
    tell(partial(gate.render, found.gated, str(folder), commands), texts(told, files))
    return found.gated.exit_code
