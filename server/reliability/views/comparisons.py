"""Any two reports side by side, and the course of each guarantee over many."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from assay.compare import Comparison
from assay.compare.trend import Guarantee, Unsteady
from assay.errors import UsageError
from assay.reports.drifts import EXIT_WORDS, compared_with, tally, timing
from assay.reports.words import plain
from myapp.web import charts
from myapp.web.access import only
from myapp.web.templatetags.autotest import seconds

from ..access import may_see_reports
from ..comparing import MOST_RUNS, Course, compared, course
from ..filters import TrendForm, TwoForm
from ..marks import marks, word
from ..models import Report, Verdict
from ..shown import arrow, blocks

MOST_UNSTEADY = 200


@require_safe
@only(may_see_reports)
def compare(request: HttpRequest) -> HttpResponse:
    form = TwoForm(request.GET or None)
    pair = form.chosen()
    form.offer(pair)
    context: dict[str, Any] = {"form": form, "pair": pair}
    if pair:
        try:
            context |= _told(compared(*pair, earlier=form.cleaned_data["earlier"]))
        except UsageError as refused:
            context["refused"] = plain(str(refused))
    return render(request, "reliability/compare.html", context)


def _told(found: Comparison) -> dict[str, Any]:
    return {
        "comparison": found,
        "tally": tally(found),
        "words": EXIT_WORDS[found.exit_code],
        "blocks": blocks(found),
        "timings": [arrow(plain(timing(each))) for each in found.timings],
        "used": [plain(each) for each in compared_with(found)],
    }


@dataclass(frozen=True)
class Line:
    """One guarantee over all runs."""

    setting: str
    marks: SafeString
    held: str
    spark: SafeString
    times: str


@require_safe
@only(may_see_reports)
def trend(request: HttpRequest) -> HttpResponse:
    form = TrendForm(request.GET or None)
    reports = form.narrow(Report.objects.defer("page").order_by("-started_at"))[:MOST_RUNS]
    found = course(reports) if form.is_valid() else None
    context: dict[str, Any] = {"filter": form, "course": found, "most": MOST_RUNS}
    if found:
        titles = [f"{timezone.localtime(each.started_at):%Y-%m-%d %H:%M}" for each in found.reports]
        context |= {
            "overall": marks(found.trend.verdicts, _titled(titles, found.trend.verdicts)),
            "lines": [_line(each, titles) for each in found.trend.guarantees],
            "legend": [(marks([each], [word(each)]), word(each)) for each in (*Verdict, None)],
            "runs": _runs(found),
            "unsteady": [_unsteady(row) for row in found.trend.unsteady[:MOST_UNSTEADY]],
        }
    return render(request, "reliability/trend.html", context)


def _line(each: Guarantee, titles: list[str]) -> Line:
    times = [time for time in each.recovery_s if time is not None]
    span = _("%(first)s to %(last)s") % {"first": seconds(times[0]), "last": seconds(times[-1])} if times else ""
    return Line(
        setting=plain(each.setting),
        marks=marks(each.verdicts, _titled(titles, each.verdicts)),
        held=_("%(held)d of %(rows)d") % {"held": each.held[-1], "rows": each.rows[-1]}
        if each.rows[-1]
        else word(None),
        spark=charts.spark(times, _("Recovery times, oldest first: %(span)s") % {"span": span}),
        times=span,
    )


def _unsteady(row: Unsteady) -> dict[str, str]:
    """With its words oldest first: "at-least-once × 4, lost × 2"."""
    runs = [(each or "not run", len(list(same))) for each, same in groupby(row.words)]
    became = ", ".join(f"{words} × {number}" if number > 1 else words for words, number in runs)
    return {"scenario": plain(row.scenario), "task": plain(row.task), "became": became}


def _titled(titles: list[str], verdicts: Any) -> list[str]:
    return [f"{title}: {word(verdict)}" for title, verdict in zip(titles, verdicts, strict=True)]


def _runs(found: Course) -> list[dict[str, Any]]:
    """The newest first, each with the one before it and what was changed since that."""
    before = [None, *found.reports]
    rows = zip(found.reports, before, found.trend.changed, strict=False)
    return [
        {"report": report, "before": earlier, "changed": [arrow(plain(each)) for each in changed]}
        for report, earlier, changed in rows
    ][::-1]
