"""Options that several commands have."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from assay.reports.formats import FORMATS

FILE = click.Path(dir_okay=False, path_type=Path, allow_dash=True)


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def options_of(*options: Decorator) -> Decorator:
    def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return decorated


class Invocations(click.IntRange):
    """How many; whoever gives a name or a pattern here means another option."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not str(value).strip().lstrip("+-").isdigit():
            self.fail(f"{value!r} is no number of invocations; tasks are chosen with --task", param, ctx)
        return super().convert(value, param, ctx)


about_app = options_of(
    click.option("-A", "--app", metavar="APP", help="The app under test, as Celery's -A."),
    click.option("--config", type=FILE, help="An assay.toml or a pyproject.toml, rather than the nearest one."),
    click.option("--workdir", metavar="DIR", help="Folder to import the app from; default: the configuration file's."),
)


about_databases = click.option(
    "--no-migrations",
    "migrations",
    flag_value=False,
    type=bool,
    default=None,
    help="Make Django's tables from the models; sooner where there are hundreds of migrations.",
)


about_rows = options_of(
    click.option("--suite", "suites", multiple=True, metavar="SUITE", help="Only this suite. Patterns; repeatable."),
    click.option("--task", "tasks", multiple=True, metavar="PATTERN", help="Only these tasks. Repeatable."),
    click.option("--scenario", "scenarios", multiple=True, metavar="PATTERN", help="Only these scenarios. Repeatable."),
)


about_broker = click.option(
    "--broker", metavar="BROKER", help="fakeredis (embedded, the default), redis or rabbitmq (private ones), or a URL."
)


about_jobs = click.option(
    "--jobs", type=click.IntRange(min=1), help="Scenarios at the same time; default: 6 for each processor, 16 at most."
)


about_out = click.option(
    "--out", metavar="FOLDER", help="The run folder, {time} is filled in; default: assay-runs/{time}."
)


def about_files(function: Callable[..., Any]) -> Callable[..., Any]:
    """An option for each format; those that were given are passed on together, as `files`: {format: path}."""

    @functools.wraps(function)
    def gathered(**options: Any) -> Any:
        given = {name: options.pop(f"{name}_file") for name in FORMATS}
        return function(files={name: path for name, path in given.items() if path is not None}, **options)

    each_option = [
        click.option(f"--{name}", f"{name}_file", type=FILE, help=each.about) for name, each in FORMATS.items()
    ]
    return options_of(*each_option)(gathered)
