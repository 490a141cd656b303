"""Commands that go on from a report, to be copied."""

import shlex
from pathlib import Path
from shlex import quote

from assay.report import Report
from assay.reports.causes import causes
from assay.reports.words import is_open, scenario_name
from assay.verdict import CHAOS, Result, Verdict


def replay(report: Report, folder: Path | None, program: str = "assay") -> list[str]:
    """Commands that go on from here: the worst row once more, what would mend it, the run as a page, one life told."""
    commands = []
    if folder and any(r.suite == CHAOS for r in report.results):
        red = any(is_open(r) for r in report.results)
        commands += [f"{program} replay {quote(str(folder))}"]
        commands += [f"{program} shrink {quote(str(folder))}"] if red else []
        return commands + _about(report, folder, program)
    if worst := _worst(report):
        names = f"--scenario {quote(scenario_name(worst))} --task {quote(worst.task)}"
        commands.append(f"{program} run{_kept_options(report)} {names}")
        commands += [f"{program} blame {quote(str(folder))}"] if folder and worst.verdict is Verdict.VIOLATED else []
    return commands + (_about(report, folder, program) if folder else [])


def _worst(report: Report) -> Result | None:
    """The row that a report shows as its first example; else the first unknown one."""
    shown = next((cause.example for cause in causes(report) if cause.example), None)
    return shown or next((row for row in report.results if row.verdict is Verdict.UNKNOWN), None)


def _about(report: Report, folder: Path, program: str) -> list[str]:
    rows = [row for row in (_worst(report), *report.results) if row and row.verdict is not Verdict.HELD]
    said = (judgement for row in rows for judgement in sorted(row.judgements, key=lambda j: -j.verdict.rank))
    ids = [invocation for judgement in said for invocation in judgement.invocations]
    shown = [f"{program} show {quote(str(folder))} {ids[0][:8]}"] if ids else []
    return [f"{program} page {quote(str(folder))}", *shown]


KEPT = ("-A", "--app", "--config", "--workdir", "--broker", "--pool")  # each with a value
KEPT_FLAGS = ("--cold", "--live", "--each-task", "--no-migrations")


def _kept_options(report: Report) -> str:
    """The options that say what was run, as they were given, without those that choose among its rows.

    None where the command cannot be read.
    """
    try:
        words = iter(shlex.split(report.command))
    except ValueError:  # a quote that is not closed, in a report that was edited
        return ""
    found = []
    for word in words:
        name, separator, value = word.partition("=")
        if word.startswith("-A") and word != "-A":
            name, separator, value = "-A", "=", word[2:]
        if name in KEPT:
            found += [name, value if separator else next(words, "")]
        elif word in KEPT_FLAGS:
            found.append(word)
    return "".join(f" {quote(word)}" for word in found)
