"""Each guarantee over many runs of one app, oldest first. Pure."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

import msgspec

from assay.compare.differences import NO_VERSIONS, environment, key_of, settings
from assay.compare.rows import by_task, guarantee
from assay.report import Report
from assay.verdict import Result, Verdict

UNCLAIMED = "without a claim"


class Guarantee(msgspec.Struct, kw_only=True):
    """What became of one setting's promise in each run; None and 0 where none of its rows was run."""

    setting: str
    verdicts: list[Verdict | None]
    held: list[int]
    rows: list[int]
    recovery_s: list[float | None]  # medians


class Unsteady(msgspec.Struct, kw_only=True):
    """A row that was not the same in all runs: its guarantee in words, "" where it was not run."""

    scenario: str
    task: str
    words: list[str]


class Trend(msgspec.Struct, kw_only=True):
    """Lists have an entry for each run."""

    app: str
    started_at: list[str]
    verdicts: list[Verdict]
    changed: list[list[str]]  # settings and versions that differ from the run before
    guarantees: list[Guarantee]
    unsteady: list[Unsteady]
    notes: list[str] = []


def trend(reports: Sequence[Report], notes: Sequence[str] = ()) -> Trend:
    """Of at least one run."""
    runs = sorted(reports, key=lambda report: report.started_at)
    rows = [by_task(report) for report in runs]
    keys = list(dict.fromkeys(key for each in rows for key in each))
    told = {key: [guarantee(each[key]) if key in each else "" for each in rows] for key in keys}
    promised = [_by_claim(report) for report in runs]
    newest = runs[-1]
    return Trend(
        app=str(newest.app.get("name") or newest.app.get("module") or ""),
        started_at=[report.started_at for report in runs],
        verdicts=[report.verdict for report in runs],
        changed=[[], *(_changed(before, after) for before, after in pairwise(runs))],
        guarantees=[_guarantee(claim, promised) for claim in dict.fromkeys(claim for run in promised for claim in run)],
        unsteady=[
            Unsteady(scenario=f"{suite}.{scenario}", task=task, words=words)
            for (suite, scenario, task), words in told.items()
            if len(set(words)) > 1
        ],
        notes=list(notes),
    )


def _by_claim(report: Report) -> dict[str, list[Result]]:
    found: dict[str, list[Result]] = {}
    for row in report.results:
        found.setdefault(key_of(row.claim, report) or UNCLAIMED, []).append(row)
    return found


def _changed(before: Report, after: Report) -> list[str]:
    versions = [each for each in environment(before, after) if each.name not in NO_VERSIONS]
    return [each.placed for each in [*settings(before, after), *versions]]


def _guarantee(claim: str, runs: Sequence[dict[str, list[Result]]]) -> Guarantee:
    mine = [run.get(claim, []) for run in runs]
    recoveries = [[row.recovery_s for row in rows if row.recovery_s is not None] for rows in mine]
    return Guarantee(
        setting=claim,
        verdicts=[_verdict(rows) if rows else None for rows in mine],
        held=[sum(row.verdict is Verdict.HELD for row in rows) for rows in mine],
        rows=[len(rows) for rows in mine],
        recovery_s=[median(each) if each else None for each in recoveries],
    )


def _verdict(rows: Sequence[Result]) -> Verdict:
    """Of what counts, as in a run: a known violation does not, unless there is nothing else."""
    return Verdict.worst(row.verdict for row in [row for row in rows if not row.known] or rows)
