"""What a report and a comparison show, ready for a template: in Assay's own words, made safe to print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext, ngettext

import assay.report
from assay.compare import Comparison
from assay.compare.comparison import UNPROVED, WORSE, Kind
from assay.reports import drifts, words
from assay.reports.words import plain
from assay.verdict import Result, Verdict

MOST_ROWS = 1000  # of one verdict
HELD = Verdict.HELD


@dataclass(frozen=True)
class Row:
    scenario: str
    task: str
    fault: str
    verdict: str
    known: str
    cell: str
    claim: str
    place: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class Rows:
    """Rows to be looked at, with their stories, and the others; the worst first, at most MOST_ROWS of each."""

    open: list[Row]
    held: list[Row]
    left_out: int


def rows(report: assay.report.Report) -> Rows:
    ordered = sorted(report.results, key=lambda row: (bool(row.known), -row.verdict.rank))
    held = [row for row in ordered if row.verdict is HELD or row.known]
    others = [row for row in ordered if row.verdict is not HELD and not row.known]
    shown = [_row(row) for row in others[:MOST_ROWS]], [_row(row) for row in held[:MOST_ROWS]]
    return Rows(*shown, left_out=len(ordered) - len(shown[0]) - len(shown[1]))


def _row(row: Result) -> Row:
    return Row(
        scenario=plain(words.scenario_name(row)),
        task=plain(words.row_task(row)),
        fault=plain(row.fault),
        verdict=str(row.verdict),
        known=plain(row.known),
        cell=plain(words.cell(row)),
        claim=plain(row.claim),
        place=plain(row.place),
        reason=plain(row.reason) if row.verdict is not HELD else "",
        remedy=plain(row.remedy) if row.verdict is not HELD else "",
    )


@dataclass(frozen=True)
class Block:
    """All drifts of one kind. `open`: to be looked at, all else is folded."""

    kind: str
    heading: str
    open: bool
    worse: bool
    drifts: list[Cause]


@dataclass(frozen=True)
class Cause:
    text: str
    place: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Line:
    whose: str
    became: str
    rows: str
    reason: str


def blocks(found: Comparison) -> list[Block]:
    """Of each kind that there is, the worst first, as in the terminal."""
    everybody = drifts.tasks(found)
    return [
        Block(
            kind=str(kind),
            heading=_heading(kind, found),
            open=kind in WORSE | UNPROVED,
            worse=kind in WORSE,
            drifts=[
                Cause(
                    arrow(plain(drift.cause)),
                    plain(drift.place),
                    [_line(line) for line in drifts.lines(drift, everybody)],
                )
                for drift in found.of(kind)
            ],
        )
        for kind in Kind
        if found.of(kind)
    ]


def _heading(kind: Kind, found: Comparison) -> str:
    number = sum(max(1, len(change.tasks)) for drift in found.of(kind) for change in drift.changes)
    count = ngettext("%(n)d row", "%(n)d rows", number) % {"n": number}
    return f"{gettext(drifts.TITLES[kind])} ({count})"


def _line(line: drifts.Line) -> Line:
    return Line(plain(line.whose), arrow(plain(line.became)), plain(line.rows), plain(line.reason))


def arrow(text: str) -> str:
    """With an arrow that no line breaks in two."""
    return text.replace(" -> ", " → ")
