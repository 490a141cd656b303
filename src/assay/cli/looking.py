"""`assay check`, `assay list` and `assay show`: what was recorded, and what there is."""

from pathlib import Path
from typing import Any

import click

from assay.cli.given import need_writable, run_folder, settings_with_app
from assay.cli.options import about_app, about_files
from assay.cli.telling import deliver
from assay.errors import UsageError
from assay.exits import say
from assay.reports.formats import Files, Told


@click.command()
@click.argument("given", metavar="RUN", type=click.Path(path_type=Path))
@about_files
def check(given: Path, files: Files) -> int:
    """Judge an old run again, without running. RUN is a run folder, or a folder of runs (the newest)."""
    folder = run_folder(given)
    need_writable(*files.values())
    from assay.run import check_again

    return deliver(Told(check_again(folder), folder), files)


LISTED = ["scenarios", "faults", "checkers", "rules", "suites", "tasks", "findings"]


@click.command("list")
@click.argument("kind", type=click.Choice(LISTED), required=False)
@about_app
def list_(kind: str | None, **options: Any) -> int:
    """Name the scenarios, faults, checkers, rules, suites or tasks; findings is the page of Celery's defects.

    Without a kind all are named but tasks and findings.
    """
    given = [name for name, value in options.items() if value is not None]
    if given and kind != "tasks":
        raise UsageError(f"--{given[0]} is for the tasks, which need the app: assay list tasks --{given[0]} ...")
    from assay.listing import listed

    say(listed(kind, lambda: settings_with_app(**options)))
    return 0


@click.command()
@click.argument("given", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("invocation", metavar="INVOCATION")
def show(given: Path, invocation: str) -> int:
    """Tell one invocation's life in order. INVOCATION is its id, or a beginning of it that no other shares."""
    from assay.story import find_life, tell

    say(tell(*find_life(run_folder(given), invocation)))
    return 0
