"""`assay against`: the same suites on other versions."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from assay.cli.given import need_linux, need_writable, settings_with_app
from assay.cli.options import FILE, about_app, about_broker, about_databases
from assay.cli.telling import short, tell
from assay.errors import UsageError
from assay.exits import say
from assay.folder import claimed


@click.command()
@click.argument("requirements", metavar="REQUIREMENT...", nargs=-1)
@about_app
@about_databases
@click.option("--suite", "suites", multiple=True, metavar="SUITE", help="Only this suite. Patterns; repeatable.")
@click.option("--task", "tasks", multiple=True, metavar="PATTERN", help="Only these tasks. Repeatable.")
@click.option("--scenario", "scenarios", multiple=True, metavar="PATTERN", help="Only these scenarios. Repeatable.")
@about_broker
@click.option("--pool", type=click.Choice(["prefork", "solo", "threads"]), help="Default: the app's own.")
@click.option("--jobs", type=click.IntRange(min=1), help="Scenarios at the same time; default: as of assay run.")
@click.option("--cold", is_flag=True, default=None, help="Start workers by the real `celery worker` command.")
@click.option("--live", is_flag=True, default=None, help="Run the tasks' real bodies, with arguments from `live`.")
@click.option("--each-task", is_flag=True, default=None, help="Run every task, not one for each profile.")
@click.option("--base", metavar="RUN", type=click.Path(path_type=Path), help="A run as it is, rather than a new one.")
@click.option("--out", metavar="FOLDER", help="For both runs, {time} is filled in; default: assay-runs/{time}.")
@click.option("--json", "json_file", type=FILE, help="Also write compare.json here; - is stdout.")
@click.option("--markdown", "markdown_file", type=FILE, help="Also write Markdown here, for a pull request.")
@click.option("--remove", is_flag=True, help="Remove all environments that were made, and do nothing else.")
def against(
    requirements: tuple[str, ...],
    base: Path | None,
    json_file: Path | None,
    markdown_file: Path | None,
    remove: bool,
    **options: Any,
) -> int:
    """Run the suites with other versions too, such as "celery==5.5.*", and say what behaves otherwise."""
    need_linux()
    from assay.against import environment

    if remove:
        say(f"{environment.cache()}: {environment.remove()} removed\n")
        return 0
    if not requirements:
        raise UsageError('no other version is named: assay against "celery==5.5.*"')
    environment.parsed(requirements)  # what is misspelt is told before all else
    given = {key: value for key, value in options.items() if key not in ("scenarios", "out")}
    settings = settings_with_app(**given, out=options["out"])
    need_writable(json_file, markdown_file)
    from assay.against.run import against as compared
    from assay.reports import compare as told
    from assay.reports import compare_markdown
    from assay.scenario import registry
    from assay.selection import Selection

    selection = Selection(suites=settings.suites, tasks=settings.tasks, scenarios=options["scenarios"])
    selection.pick_scenarios(registry())
    with claimed(settings.out, timed=settings.out_timed) as out:
        found = compared(requirements, _as_typed(options), selection, out, base, _tell)
        (out / "compare.json").write_text(told.json(found), encoding="utf-8")
    found.notes.append(f"recorded in {short(out)}")
    tell(partial(told.render, found), {json_file: told.json(found), markdown_file: compare_markdown.render(found)})
    return found.exit_code


def _tell(said: str) -> None:
    say(f"assay: {said}\n", error=True)


def _as_typed(options: dict[str, Any]) -> list[str]:
    """Options of `assay run`, for a command of its own in this folder."""
    names = {"suites": "suite", "tasks": "task", "scenarios": "scenario"}
    found: list[str] = []
    for key, value in options.items():
        name = f"--{names.get(key, key).replace('_', '-')}"
        if key == "out" or value in (None, ()):
            continue
        if key == "migrations":
            found.append("--no-migrations")
        elif value is True:
            found.append(name)
        else:
            found += [part for each in (value if isinstance(value, tuple) else [value]) for part in (name, str(each))]
    return found
