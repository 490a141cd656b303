"""From reports that are kept to what Assay says of them side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import assay.report
from assay.compare import Comparison, compare
from assay.compare.fit import why_not
from assay.compare.trend import Trend, trend
from assay.errors import UsageError

from .models import Report

MOST_EARLIER = 10  # runs of the base's branch before it
MOST_RUNS = 40  # of a trend


def compared(base: Report, current: Report, *, earlier: bool) -> Comparison:
    """Raises UsageError where they cannot be compared, with the reason."""
    bases, notes = [], []
    for report in _before(base, current) if earlier else []:
        try:
            bases.append(report.read())
        except UsageError as error:
            notes.append(f"not used: {error}")
    found = compare([*bases, base.read()], current.read())
    found.notes = [*notes, *found.notes]
    return found


def _before(base: Report, current: Report) -> list[Report]:
    same = Report.objects.defer("page").filter(app=base.app, branch=base.branch).exclude(pk__in=[base.pk, current.pk])
    return list(same.filter(started_at__lt=base.started_at).order_by("-started_at")[:MOST_EARLIER])


@dataclass(frozen=True)
class Course:
    """A trend, and the reports that are its runs, in its order."""

    trend: Trend
    reports: list[Report]


def course(reports: Iterable[Report]) -> Course | None:
    """Of those that can be compared with the newest; None where there is none."""
    runs: list[tuple[Report, assay.report.Report]] = []
    notes = []
    for report in sorted(reports, key=lambda each: each.started_at, reverse=True):
        try:
            read = report.read()
            if runs and (why := why_not(read, runs[0][1])):
                raise UsageError(why)
        except UsageError as error:
            notes.append(f"the run of {report.started_at:%Y-%m-%d %H:%M} is left out: {error}")
        else:
            runs.append((report, read))
    runs.reverse()
    return Course(trend([run for _, run in runs], notes), [report for report, _ in runs]) if runs else None


def previous(report: Report) -> Report | None:
    """The run before it: of its branch, else of its app."""
    before = Report.objects.defer("report", "page").filter(app=report.app, started_at__lt=report.started_at)
    newest = before.order_by("-started_at")
    return newest.filter(branch=report.branch).first() or newest.first()
