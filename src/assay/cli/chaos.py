"""`assay chaos`, and what is made of a chaos run afterwards."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from assay.cli.given import need_linux, need_writable, run_folder, settings_with_app
from assay.cli.options import Invocations, about_app, about_broker, about_databases, about_files, about_out
from assay.cli.recording import recording
from assay.cli.telling import command_line, deliver, keep, short, shown_progress
from assay.errors import UsageError
from assay.exits import kept_in, say
from assay.folder import claimed
from assay.reports.formats import Files, Told

if TYPE_CHECKING:
    from assay.conclusion import Facts
    from assay.settings import Settings


@click.command()
@about_app
@about_databases
@click.option("--seed", type=int, help="What is drawn; the same seed draws the same. Default: a new one.")
@click.option("--tasks", "number", type=Invocations(min=1), default=300, show_default=True, help="Invocations.")
@click.option("--rate", type=click.FloatRange(0, 1000), default=0.0, help="Published a second; default: a closed loop.")
@click.option("--duration", metavar="TIME", help="End the faults after this time, such as 60s, 5m or 8h.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Workers at the same time; one that ends is started again.",
)
@click.option("--task", "tasks", multiple=True, metavar="PATTERN", help="Only these tasks. Repeatable.")
@about_broker
@click.option("--pool", type=click.Choice(["prefork", "solo", "threads"]), help="Default: the app's own.")
@click.option("--faults", metavar="LIST", default="", help="Names with commas between them, or swarm: a part, drawn.")
@click.option(
    "--intensity", type=click.FloatRange(0, 1), default=0.1, show_default=True, help="Share of invocations struck."
)
@click.option(
    "--delivery",
    type=click.Choice(["at_least_once", "at_most_once", "effectively_once"]),
    help="What every task is held to; default: at_least_once.",
)
@about_out
@about_files
def chaos(
    files: Files,
    seed: int | None,
    number: int,
    rate: float,
    duration: str | None,
    workers: int,
    faults: str,
    intensity: float,
    **options: Any,
) -> int:
    """Strike a loaded cluster with many faults, drawn from a seed, and say what survived."""
    need_linux()
    settings = settings_with_app(**options)
    need_writable(*files.values())
    import random

    from assay.chaos.possible import must_not_be_barred
    from assay.chaos.run import chaos as run_chaos
    from assay.chaos.run import chosen, draw_script
    from assay.elsewhere.table import must_be_usable
    from assay.selection import Selection

    if settings.workers:
        must_be_usable(settings.workers, settings.broker)
    if faults not in ("", "swarm"):
        must_not_be_barred(settings, chosen(faults))
    duration_s = _seconds(duration)
    seed = random.randrange(1_000_000) if seed is None else seed
    selection = Selection(tasks=settings.tasks)
    settings = msgspec.structs.replace(settings, jobs=1)
    with recording(settings) as (settings, folder, progress):
        report = run_chaos(
            settings,
            lambda subject: draw_script(
                subject,
                selection,
                seed=seed,
                number=number,
                workers=workers,
                concurrency=settings.concurrency,
                faults=faults,
                intensity=intensity,
                rate=rate,
            ),
            progress,
            duration_s=duration_s,
        )
        report.command = report.command or command_line()
        keep(report, folder)
    return deliver(Told(report, folder, settings.workdir, settings.config), files)


@click.command()
@click.argument("given", metavar="RUN", type=click.Path(path_type=Path))
@about_app
@about_databases
@click.option("--times", type=click.IntRange(min=1), default=3, show_default=True, help="How often.")
@click.option("--broker", metavar="BROKER", help="Another one than the run had.")
@about_out
@about_files
def replay(given: Path, times: int, files: Files, **options: Any) -> int:
    """Run the script of a chaos run again, and say how often it comes out the same."""
    need_linux()
    folder, facts, settings = _chaos_run(given, options)
    need_writable(*files.values())
    from assay.chaos.again import replay as run_again

    with claimed(settings.out, timed=settings.out_timed) as out:
        settings, shown = msgspec.structs.replace(settings, out=out), short(out)
        with kept_in(shown), shown_progress() as progress:
            found = run_again(settings, facts, folder, times, progress)
        for name, report in found.reports.items():
            report.command = command_line()
            keep(report, shown / name)
        code = deliver(Told(found.reports[found.worst], shown / found.worst, settings.workdir, settings.config), files)
    say(f"REPRODUCED {found.reproduced} of {times}\n", error=Path("-") in files.values())
    return code


@click.command()
@click.argument("given", metavar="RUN", type=click.Path(path_type=Path))
@about_app
@about_databases
@click.option("--row", metavar="ROW", default="", help="A red row, such as chaos.sigkill_child; default: the worst.")
@click.option("--task", metavar="TASK", default="", help="Of this task, where the row is red for several.")
@click.option("--tests", metavar="FOLDER", default="tests/reliability", show_default=True, help="Where its test goes.")
@click.option("--broker", metavar="BROKER", help="Another one than the run had.")
@about_out
def shrink(given: Path, row: str, task: str, tests: str, **options: Any) -> int:
    """Find the smallest script that is red as a chaos run was, and write it as a test."""
    need_linux()
    if task and not row:
        raise UsageError("--task is for the row that --row names: say both")
    folder, facts, settings = _chaos_run(given, options)
    from assay.chaos.again import shrink as make_smaller

    with claimed(settings.out, timed=settings.out_timed) as out:
        settings = msgspec.structs.replace(settings, out=out)
        with kept_in(short(out)), shown_progress() as progress:
            found = make_smaller(settings, facts, folder, Path(tests), progress, row, task)
    from assay.reports.shrunk import render

    say(render(found, short(out)) + "\n")
    return 1 if found.red else 3


def _chaos_run(given: Path, options: dict[str, Any]) -> "tuple[Path, Facts, Settings]":
    """The run folder, what it was of, and settings to run it again. Raises UsageError."""
    from assay.brokers import NAMES as BROKERS
    from assay.elsewhere.table import must_be_usable
    from assay.facts import read

    folder = run_folder(given)
    facts = read(folder)
    if not facts.demanded:
        raise UsageError(f"{folder} is no chaos run: `assay run` again, with --scenario, is how its rows are run again")
    if facts.broker not in BROKERS and not options.get("broker"):
        raise UsageError("the run was on a broker by URL, which is kept nowhere: name it again by --broker")
    options["app"] = options.get("app") or facts.subject.app
    options["workdir"] = options.get("workdir") or facts.workdir
    options["broker"] = options.get("broker") or facts.broker
    settings = settings_with_app(**options, pool=facts.pool)
    if not facts.elsewhere:
        return folder, facts, msgspec.structs.replace(settings, jobs=1, cold=facts.cold, workers=None)
    if settings.workers is None:
        raise UsageError(f"the workers of {folder} were run by others: the configuration must have [workers] again")
    must_be_usable(settings.workers, settings.broker)
    return folder, facts, msgspec.structs.replace(settings, jobs=1)


def _seconds(duration: str | None) -> float:
    """ "90", "60s", "5m", "8h" in seconds; without end where none is given. Raises UsageError."""
    if duration is None:
        return float("inf")
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", duration.strip())
    if not found or not float(found[1]):
        raise UsageError(f"--duration {duration} is no time: say it as 60s, 5m or 8h")
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]
