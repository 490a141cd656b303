"""`assay audit`, `assay mutate` and `assay blame`: what settings claim, and what depends on them."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from assay.cli.given import need_linux, need_writable, run_folder, settings_with_app
from assay.cli.options import FILE, about_app, about_broker, about_databases, about_out
from assay.cli.telling import command_line, keep, short, shown_progress, tell
from assay.exits import kept_in
from assay.folder import claimed

if TYPE_CHECKING:
    from assay.audit.rule import View
    from assay.report import Report
    from assay.settings import Settings


@click.command()
@about_app
@about_databases
@about_broker
@click.option("--suite", "suites", multiple=True, metavar="SUITE", help="Only this suite. Patterns; repeatable.")
@click.option("--task", "tasks", multiple=True, metavar="PATTERN", help="Only these tasks. Repeatable.")
@click.option("--static", is_flag=True, help="Look only: no broker, no worker, and a second or two.")
@click.option("--strict", is_flag=True, help="Risks turn the exit code too.")
@click.option("--pool", type=click.Choice(["prefork", "solo", "threads"]), help="Default: the app's own.")
@about_out
@click.option("--json", "json_file", type=FILE, help="Also write audit.json here; - is stdout.")
@click.option("--sarif", "sarif_file", type=FILE, help="Also write SARIF here, for code scanning.")
def audit(static: bool, strict: bool, json_file: Path | None, sarif_file: Path | None, **options: Any) -> int:
    """Say of each setting what it claims, and whether that was proved, disproved, or is dead."""
    need_linux()
    settings = settings_with_app(**options)
    need_writable(json_file, sarif_file)
    from assay.audit.run import audit as audited
    from assay.audit.run import look_at
    from assay.reports import audit as told
    from assay.reports import sarif
    from assay.reports.checkout import Checkout
    from assay.reports.problems import problems

    report: Report | None = None
    if static:
        found = audited(settings, look_at(settings), None, strict=strict)
    else:
        view, report, folder = _looked_and_run(settings)
        found = audited(settings, view, report, strict=strict)
        (folder / "audit.json").write_text(told.json(found), encoding="utf-8")
    wrong = problems(report, found, Checkout.of(settings.workdir, settings.config))
    text = sarif.render(wrong, exit_code=found.exit_code, command=command_line())
    tell(partial(told.render, found), {json_file: told.json(found), sarif_file: text})
    return found.exit_code


def _looked_and_run(settings: "Settings") -> "tuple[View, Report, Path]":
    """All suites, as `assay run` does it."""
    from assay.audit.run import look_and_run
    from assay.selection import Selection

    with claimed(settings.out, timed=settings.out_timed) as out:
        settings, folder = msgspec.structs.replace(settings, out=out), short(out)
        with kept_in(folder), shown_progress() as progress:
            view, report = look_and_run(settings, Selection(suites=settings.suites, tasks=settings.tasks), progress)
        report.command = command_line()
        keep(report, folder)
    return view, report, folder


@click.command()
@about_app
@about_databases
@about_broker
@click.option("--task", "tasks", multiple=True, metavar="PATTERN", help="Only these tasks. Repeatable.")
@click.option("--pool", type=click.Choice(["prefork", "solo", "threads"]), help="Default: the app's own.")
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Mutants at the same time; default: 6 for each processor, 16 at most."
)
@about_out
@click.option("--json", "json_file", type=FILE, help="Also write mutants.json here; - is stdout.")
@click.option("--stryker", "stryker_file", type=FILE, help="Also write a report in Stryker's schema here.")
def mutate(json_file: Path | None, stryker_file: Path | None, **options: Any) -> int:
    """Flip each reliability setting, and demand that a scenario goes red."""
    need_linux()
    settings = settings_with_app(**options)
    need_writable(json_file, stryker_file)
    from assay.mutate.run import mutate as mutated
    from assay.reports import mutants
    from assay.selection import Selection

    with claimed(settings.out, timed=settings.out_timed) as out:
        settings, folder = msgspec.structs.replace(settings, out=out), short(out)
        with kept_in(folder), shown_progress() as progress:
            found = mutated(settings, Selection(tasks=settings.tasks), progress)
        (folder / "mutants.json").write_text(mutants.json(found), encoding="utf-8")
    files = {json_file: mutants.json(found), stryker_file: mutants.stryker(found, settings.workdir)}
    tell(partial(mutants.render, found), files)
    return found.exit_code


@click.command()
@click.argument("given", metavar="RUN", type=click.Path(path_type=Path))
@about_app
@about_databases
@click.option("--scenario", metavar="SCENARIO", default="", help="This red row; default: the worst of each claim.")
@click.option("--task", metavar="TASK", default="", help="Of this task.")
@about_broker
@about_out
@click.option("--json", "json_file", type=FILE, help="Also write blame.json here; - is stdout.")
def blame(given: Path, scenario: str, task: str, json_file: Path | None, **options: Any) -> int:
    """Find the smallest change of settings that makes a red row of a run hold."""
    need_linux()
    need_writable(json_file)
    from assay.blame.run import blame as blamed
    from assay.blame.run import red_rows
    from assay.facts import read
    from assay.reports import blame as told
    from assay.run import check_again

    folder = run_folder(given)
    facts = read(folder)
    rows = red_rows(check_again(folder), scenario, task)
    options |= {"app": options.get("app") or facts.subject.app, "workdir": options.get("workdir") or facts.workdir}
    settings = settings_with_app(**options, pool=facts.pool, live=facts.live or None)
    with claimed(settings.out, timed=settings.out_timed) as out:
        settings, shown = msgspec.structs.replace(settings, out=out), short(out)
        with kept_in(shown), shown_progress() as progress:
            found = blamed(settings, rows, progress)
        (shown / "blame.json").write_text(told.json(found), encoding="utf-8")
    tell(partial(told.render, found), {json_file: told.json(found)})
    return 0 if all(each.mends is not None for each in found.groups) else 1
