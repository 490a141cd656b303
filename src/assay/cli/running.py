"""`assay run`."""

from typing import Any

import click

from assay.cli.given import chosen, need_linux, need_writable, settings_with_app
from assay.cli.options import about_app, about_broker, about_databases, about_files, about_jobs, about_out, about_rows
from assay.cli.recording import recording
from assay.cli.telling import command_line, deliver, keep
from assay.reports.formats import Files, Told


@click.command()
@about_app
@about_databases
@about_rows
@about_broker
@click.option(
    "--pool", type=click.Choice(["prefork", "solo", "threads"]), help="The workers' pool; default: the app's own."
)
@about_jobs
@about_out
@about_files
@click.option("--cold", is_flag=True, default=None, help="Start workers by the real `celery worker` command.")
@click.option("--live", is_flag=True, default=None, help="Run the tasks' real bodies, with arguments from `live`.")
@click.option("--each-task", is_flag=True, default=None, help="Run every task, not one for each profile.")
def run(files: Files, scenarios: tuple[str, ...], **options: Any) -> int:
    """Run the scenarios on the app under test and judge them."""
    need_linux()
    settings = settings_with_app(**options)
    need_writable(*files.values())
    selection = chosen(settings, scenarios)
    with recording(settings) as (settings, folder, progress):
        from assay.run import run as run_scenarios

        report = run_scenarios(settings, selection, progress)
        report.command = report.command or command_line()
        keep(report, folder)
    return deliver(Told(report, folder, settings.workdir, settings.config), files)
