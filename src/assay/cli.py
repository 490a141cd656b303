"""The command `assay`. It parses, calls run, check and report, and has no logic of its own."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click
import msgspec

from assay.errors import UsageError
from assay.exits import Commands, kept_in, say
from assay.folder import claimed

if TYPE_CHECKING:
    from assay.conclusion import Facts
    from assay.report import Report
    from assay.settings import Settings

FILE = click.Path(dir_okay=False, path_type=Path, allow_dash=True)
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _options(*options: Decorator) -> Decorator:
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


about_app = _options(
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
about_broker = click.option(
    "--broker", metavar="BROKER", help="fakeredis (embedded, the default), redis or rabbitmq (private ones), or a URL."
)
about_files = _options(
    click.option("--json", "json_file", type=FILE, help="Also write report.json here; - is stdout."),
    click.option("--junit", "junit_file", type=FILE, help="Also write JUnit XML here."),
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="celery-assay", prog_name="assay", message="%(prog)s %(version)s")
def main() -> None:
    """Prove what a Celery configuration does when workers die.

    Exit codes: 0 every promise held, 1 one was broken, 2 the input could not be used, 3 something could not be judged,
    4 the harness broke.
    """


@main.command()
@about_app
@about_databases
@click.option("--suite", "suites", multiple=True, metavar="SUITE", help="Only this suite. Patterns; repeatable.")
@click.option("--task", "tasks", multiple=True, metavar="PATTERN", help="Only these tasks. Repeatable.")
@click.option("--scenario", "scenarios", multiple=True, metavar="PATTERN", help="Only these scenarios. Repeatable.")
@about_broker
@click.option(
    "--pool", type=click.Choice(["prefork", "solo", "threads"]), help="The workers' pool; default: the app's own."
)
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Scenarios at the same time; default: 4 for each processor, 16 at most."
)
@click.option("--out", metavar="FOLDER", help="The run folder, {time} is filled in; default: assay-runs/{time}.")
@about_files
@click.option("--cold", is_flag=True, default=None, help="Start workers by the real `celery worker` command.")
@click.option("--live", is_flag=True, default=None, help="Run the tasks' real bodies, with arguments from `live`.")
@click.option("--each-task", is_flag=True, default=None, help="Run every task, not one for each profile.")
def run(json_file: Path | None, junit_file: Path | None, scenarios: tuple[str, ...], **options: Any) -> int:
    """Run the scenarios on the app under test and judge them."""
    _need_linux()
    settings = _settings_with_app(**options)
    _need_writable(json_file, junit_file)
    from assay.scenario import registry
    from assay.selection import Selection

    selection = Selection(suites=settings.suites, tasks=settings.tasks, scenarios=scenarios)
    selection.pick_scenarios(registry())  # what is misspelt is told before anything is started
    with claimed(settings.out, timed=settings.out_timed) as out:
        settings, folder = msgspec.structs.replace(settings, out=out), _short(out)
        with kept_in(folder):
            from assay.run import run as run_scenarios

            with _progress() as progress:
                for note in settings.notes:
                    progress.note(note)
                report = run_scenarios(settings, selection, progress)
            report.command = report.command or _command_line()
            _keep(report, folder)
        return _deliver(report, folder, json_file, junit_file)


@main.command()
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
@click.option("--out", metavar="FOLDER", help="The run folder, {time} is filled in; default: assay-runs/{time}.")
@about_files
def chaos(
    json_file: Path | None,
    junit_file: Path | None,
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
    _need_linux()
    settings = _settings_with_app(**options)
    _need_writable(json_file, junit_file)
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
    with claimed(settings.out, timed=settings.out_timed) as out:
        settings, folder = msgspec.structs.replace(settings, out=out, jobs=1), _short(out)
        with kept_in(folder):
            with _progress() as progress:
                for note in settings.notes:
                    progress.note(note)
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
            report.command = report.command or _command_line()
            _keep(report, folder)
        return _deliver(report, folder, json_file, junit_file)


@main.command()
@click.argument("run_folder", metavar="RUN", type=click.Path(path_type=Path))
@about_app
@about_databases
@click.option("--times", type=click.IntRange(min=1), default=3, show_default=True, help="How often.")
@click.option("--broker", metavar="BROKER", help="Another one than the run had.")
@click.option("--out", metavar="FOLDER", help="The run folder, {time} is filled in; default: assay-runs/{time}.")
@about_files
def replay(run_folder: Path, times: int, json_file: Path | None, junit_file: Path | None, **options: Any) -> int:
    """Run the script of a chaos run again, and say how often it comes out the same."""
    _need_linux()
    folder, facts, settings = _chaos_run(run_folder, options)
    _need_writable(json_file, junit_file)
    from assay.chaos.again import replay as run_again

    with claimed(settings.out, timed=settings.out_timed) as out:
        settings, short = msgspec.structs.replace(settings, out=out), _short(out)
        with kept_in(short), _progress() as progress:
            found = run_again(settings, facts, folder, times, progress)
        for name, report in found.reports.items():
            report.command = _command_line()
            _keep(report, short / name)
        code = _deliver(found.reports[found.worst], short / found.worst, json_file, junit_file)
    say(f"REPRODUCED {found.reproduced} of {times}\n", error=Path("-") in (json_file, junit_file))
    return code


@main.command()
@click.argument("run_folder", metavar="RUN", type=click.Path(path_type=Path))
@about_app
@about_databases
@click.option("--row", metavar="ROW", default="", help="A red row, such as chaos.sigkill_child; default: the worst.")
@click.option("--task", metavar="TASK", default="", help="Of this task, where the row is red for several.")
@click.option("--tests", metavar="FOLDER", default="tests/reliability", show_default=True, help="Where its test goes.")
@click.option("--broker", metavar="BROKER", help="Another one than the run had.")
@click.option("--out", metavar="FOLDER", help="The run folder, {time} is filled in; default: assay-runs/{time}.")
def shrink(run_folder: Path, row: str, task: str, tests: str, **options: Any) -> int:
    """Find the smallest script that is red as a chaos run was, and write it as a test."""
    _need_linux()
    if task and not row:
        raise UsageError("--task is for the row that --row names: say both")
    folder, facts, settings = _chaos_run(run_folder, options)
    from assay.chaos.again import shrink as make_smaller

    with claimed(settings.out, timed=settings.out_timed) as out:
        settings = msgspec.structs.replace(settings, out=out)
        with kept_in(_short(out)), _progress() as progress:
            found = make_smaller(settings, facts, folder, Path(tests), progress, row, task)
    from assay.reports.shrunk import render

    say(render(found, _short(out)) + "\n")
    return 1 if found.red else 3


def _chaos_run(run_folder: Path, options: dict[str, Any]) -> "tuple[Path, Facts, Settings]":
    """The run folder, what it was of, and settings to run it again. Raises UsageError."""
    from assay.brokers import NAMES as BROKERS
    from assay.elsewhere.table import must_be_usable
    from assay.facts import read
    from assay.reports.json import locate

    folder = locate(run_folder)
    facts = read(folder)
    if not facts.demanded:
        raise UsageError(f"{folder} is no chaos run: `assay run` again, with --scenario, is how its rows are run again")
    if facts.broker not in BROKERS and not options.get("broker"):
        raise UsageError("the run was on a broker by URL, which is kept nowhere: name it again by --broker")
    options["app"] = options.get("app") or facts.subject.app
    options["workdir"] = options.get("workdir") or facts.workdir
    options["broker"] = options.get("broker") or facts.broker
    settings = _settings_with_app(**options, pool=facts.pool)
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


@main.command()
@about_app
@about_databases
@about_broker
@click.option("--suite", "suites", multiple=True, metavar="SUITE", help="Only this suite. Patterns; repeatable.")
@click.option("--task", "tasks", multiple=True, metavar="PATTERN", help="Only these tasks. Repeatable.")
@click.option("--static", is_flag=True, help="Look only: no broker, no worker, and a second or two.")
@click.option("--strict", is_flag=True, help="Risks turn the exit code too.")
@click.option("--pool", type=click.Choice(["prefork", "solo", "threads"]), help="Default: the app's own.")
@click.option("--out", metavar="FOLDER", help="The run folder, {time} is filled in; default: assay-runs/{time}.")
@click.option("--json", "json_file", type=FILE, help="Also write audit.json here; - is stdout.")
def audit(static: bool, strict: bool, json_file: Path | None, **options: Any) -> int:
    """Say of each setting what it claims, and whether that was proved, disproved, or is dead."""
    _need_linux()
    settings = _settings_with_app(**options)
    _need_writable(json_file)
    from assay.audit.run import audit as audited
    from assay.audit.run import look_at
    from assay.reports import audit as told

    _, view = look_at(settings)
    if static:
        found, folder = audited(settings, view, None, strict=strict), None
    else:
        report, folder = _audited_run(settings)
        found = audited(settings, view, report, strict=strict)
        (folder / "audit.json").write_text(told.json(found), encoding="utf-8")
    failed = _write(json_file, told.json(found)) if json_file else ""
    stream = sys.stderr if json_file == Path("-") else sys.stdout
    say(
        told.render(found, width=_width(), color=_colored(stream), ascii_only=not _is_utf(stream)),
        error=stream is sys.stderr,
    )
    if failed:
        raise UsageError(failed)
    return found.exit_code


def _audited_run(settings: "Settings") -> "tuple[Report, Path]":
    """All suites, as `assay run` does it."""
    from assay.run import run as run_scenarios
    from assay.selection import Selection

    with claimed(settings.out, timed=settings.out_timed) as out:
        settings, folder = msgspec.structs.replace(settings, out=out), _short(out)
        with kept_in(folder), _progress() as progress:
            report = run_scenarios(settings, Selection(suites=settings.suites, tasks=settings.tasks), progress)
        report.command = _command_line()
        _keep(report, folder)
    return report, folder


@main.command()
@about_app
@about_databases
@about_broker
@click.option("--task", "tasks", multiple=True, metavar="PATTERN", help="Only these tasks. Repeatable.")
@click.option("--pool", type=click.Choice(["prefork", "solo", "threads"]), help="Default: the app's own.")
@click.option("--jobs", type=click.IntRange(min=1), help="Mutants at the same time; default: 4 for each processor.")
@click.option("--out", metavar="FOLDER", help="The run folder, {time} is filled in; default: assay-runs/{time}.")
@click.option("--json", "json_file", type=FILE, help="Also write mutants.json here; - is stdout.")
@click.option("--stryker", "stryker_file", type=FILE, help="Also write a report in Stryker's schema here.")
def mutate(json_file: Path | None, stryker_file: Path | None, **options: Any) -> int:
    """Flip each reliability setting, and demand that a scenario goes red."""
    _need_linux()
    settings = _settings_with_app(**options)
    _need_writable(json_file, stryker_file)
    from assay.mutate.run import mutate as mutated
    from assay.reports import mutants
    from assay.selection import Selection

    with claimed(settings.out, timed=settings.out_timed) as out:
        settings, folder = msgspec.structs.replace(settings, out=out), _short(out)
        with kept_in(folder), _progress() as progress:
            found = mutated(settings, Selection(tasks=settings.tasks), progress)
        (folder / "mutants.json").write_text(mutants.json(found), encoding="utf-8")
    files = {json_file: mutants.json(found), stryker_file: mutants.stryker(found, settings.workdir)}
    failed = [said for path, text in files.items() if path is not None and (said := _write(path, text))]
    stream = sys.stderr if Path("-") in files else sys.stdout
    text = mutants.render(found, width=_width(), color=_colored(stream), ascii_only=not _is_utf(stream))
    say(text, error=stream is sys.stderr)
    if failed:
        raise UsageError("; ".join(failed))
    return found.exit_code


@main.command()
@click.argument("run_folder", metavar="RUN", type=click.Path(path_type=Path))
@about_app
@about_databases
@click.option("--scenario", metavar="SCENARIO", default="", help="This red row; default: the worst of each claim.")
@click.option("--task", metavar="TASK", default="", help="Of this task.")
@about_broker
@click.option("--out", metavar="FOLDER", help="The run folder, {time} is filled in; default: assay-runs/{time}.")
@click.option("--json", "json_file", type=FILE, help="Also write blame.json here; - is stdout.")
def blame(run_folder: Path, scenario: str, task: str, json_file: Path | None, **options: Any) -> int:
    """Find the smallest change of settings that makes a red row of a run hold."""
    _need_linux()
    _need_writable(json_file)
    from assay.blame.run import blame as blamed
    from assay.blame.run import red_rows
    from assay.facts import read
    from assay.reports import blame as told
    from assay.reports.json import locate
    from assay.run import check_again

    folder = locate(run_folder)
    facts = read(folder)
    rows = red_rows(check_again(folder), scenario, task)
    options |= {"app": options.get("app") or facts.subject.app, "workdir": options.get("workdir") or facts.workdir}
    settings = _settings_with_app(**options, pool=facts.pool, live=facts.live or None)
    with claimed(settings.out, timed=settings.out_timed) as out:
        settings, short = msgspec.structs.replace(settings, out=out), _short(out)
        with kept_in(short), _progress() as progress:
            found = blamed(settings, rows, progress)
        (short / "blame.json").write_text(told.json(found), encoding="utf-8")
    failed = _write(json_file, told.json(found)) if json_file else ""
    stream = sys.stderr if json_file == Path("-") else sys.stdout
    text = told.render(found, width=_width(), color=_colored(stream), ascii_only=not _is_utf(stream))
    say(text, error=stream is sys.stderr)
    if failed:
        raise UsageError(failed)
    return 0 if all(each.mends is not None for each in found) else 1


@main.command()
@click.argument("run_folder", metavar="RUN", type=click.Path(path_type=Path))
@about_files
def check(run_folder: Path, json_file: Path | None, junit_file: Path | None) -> int:
    """Judge an old run again, without running. RUN is a run folder, or a folder of runs (the newest)."""
    from assay.reports.json import locate

    folder = locate(run_folder)
    _need_writable(json_file, junit_file)
    from assay.run import check_again

    return _deliver(check_again(folder), folder, json_file, junit_file)


LISTED = ["scenarios", "faults", "checkers", "rules", "suites", "tasks", "findings"]


@main.command("list")
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

    say(listed(kind, lambda: _settings_with_app(**options)))
    return 0


@main.command()
@click.argument("run_folder", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("invocation", metavar="INVOCATION")
def show(run_folder: Path, invocation: str) -> int:
    """Tell one invocation's life in order. INVOCATION is its id, or a beginning of it that no other shares."""
    from assay.reports.json import locate
    from assay.story import find_life, tell

    say(tell(*find_life(locate(run_folder), invocation)))
    return 0


@main.command()
@click.option(
    "--broker", "name", metavar="NAME", default="fakeredis", show_default=True, help="fakeredis, redis or rabbitmq."
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: a free one.")
def broker(name: str, port: int) -> int:
    """Serve a broker in the foreground until Ctrl-C and print its URL."""
    _need_linux()
    from assay.brokers import NAMES as BROKERS
    from assay.selection import nearest

    if name not in BROKERS:
        raise UsageError(f"unknown broker {name}{nearest(name, BROKERS) or '; there are ' + ', '.join(BROKERS)}")
    from assay.broker import serve_foreground

    serve_foreground(name, port)
    return 0


def _settings_with_app(config: Path | None = None, live: bool | None = None, **options: Any) -> "Settings":
    from assay.settings import load

    options["bodies"] = "live" if live else None
    given = {key: value for key, value in options.items() if value not in (None, ())}
    settings = load(given, cwd=Path.cwd(), config=config)
    if not settings.app:
        raise UsageError('no app is named: say -A APP, as to Celery, or app = "APP" in assay.toml or [tool.assay]')
    return settings


def _need_linux() -> None:
    if sys.platform != "linux":
        missing = "/proc, pidfd and PR_SET_PDEATHSIG, by which it kills exactly and leaves nothing behind"
        raise UsageError(f"Assay runs on Linux; {sys.platform} lacks {missing}. A container or WSL 2 will do")


def _need_writable(*files: Path | None) -> None:
    """Told before a run that takes a minute, rather than after it."""
    for path in files:
        if path is None or str(path) == "-":
            continue
        if not path.parent.is_dir():
            raise UsageError(f"{path} cannot be written: there is no folder {path.parent}")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise UsageError(f"{path} cannot be written: permission denied")


def _short(folder: Path) -> Path:
    """As a person would type it from here."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _progress() -> Any:
    if not _colored(sys.stderr):
        from assay.progress import PlainLines

        return PlainLines(sys.stderr)
    from rich.console import Console

    from assay.reports.live import Live

    return Live(Console(stderr=True, highlight=False))


def _colored(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _keep(report: "Report", folder: Path) -> None:
    from assay.reports import json, markdown

    json.write(report, folder / json.NAME)
    (folder / "report.md").write_text(markdown.render(report, folder), encoding="utf-8")


def _deliver(report: "Report", folder: Path, json_file: Path | None, junit_file: Path | None) -> int:
    """The files that were asked for, then the report for people: on stderr where stdout carries a file."""
    from assay.reports import json, junit, terminal

    files = {json_file: json.render(report), junit_file: junit.render(report, folder)}
    failed = [said for path, text in files.items() if path is not None and (said := _write(path, text))]
    piped = Path("-") in files
    stream = sys.stderr if piped else sys.stdout
    text = terminal.render(
        report,
        folder,
        width=_width(),
        color=_colored(stream),
        ascii_only=not _is_utf(stream),
        program=_program(),
    )
    say(text, error=piped)
    if failed:  # told after the report, which a run of minutes was for
        raise UsageError("; ".join(failed))
    return int(report.exit_code)


def _width() -> int:
    return max(60, min(180, shutil.get_terminal_size((100, 24)).columns))


def _is_utf(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().startswith("utf")


def _write(path: Path, text: str) -> str:
    """What went wrong, if anything did."""
    try:
        if str(path) == "-":
            say(text)
        else:
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        return f"{path} cannot be written: {error.strerror}"
    except UsageError as error:
        return str(error)
    return ""


def _program() -> str:
    """`assay`, or the path of the one that runs, where it is not on PATH."""
    mine = Path(sys.argv[0])
    if shutil.which("assay") or mine.name != "assay":
        return "assay"
    return shlex.quote(min(os.path.relpath(mine), os.path.abspath(mine), key=len))


def _command_line() -> str:
    """As it was typed, without a password in an address."""
    return re.sub(r"(://[^/\s@]*:)[^/\s@]*@", r"\1***@", shlex.join(["assay", *sys.argv[1:]]))
