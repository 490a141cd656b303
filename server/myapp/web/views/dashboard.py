"""The first page: what ran in the last 24 hours, by hour, by task and by queue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from .. import charts, stats
from ..access import person, sees_all, visible_to
from ..runs import counts_now, runs_since
from ..templatetags.autotest import percent, seconds

LATEST = 8


@dataclass(frozen=True)
class Row:
    """A summary with its two small charts."""

    name: str
    count: int
    success_rate: float | None
    median_s: float | None
    p95_s: float | None
    rate_chart: SafeString
    spark: SafeString

    @classmethod
    def of(cls, group: stats.Summary) -> Row:
        share = group.success_rate
        rate = SafeString("")
        if share is not None:
            rate = charts.rate(share, _("Success rate %(rate)s") % {"rate": percent(share)})
        return cls(
            group.name, group.count, share, group.median_s, group.p95_s,
            rate,
            charts.spark(
                group.durations_s[-stats.SPARK_POINTS :],
                _("Durations, oldest first; the last one is %(last)s")
                % {"last": seconds(group.durations_s[-1] if group.durations_s else None)},
            ),
        )  # fmt: skip


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    now = timezone.localtime()
    executions = visible_to(person(request))
    runs = runs_since(executions, now - stats.PERIOD)
    waiting, running = counts_now(executions)
    return render(
        request,
        "myapp/dashboard.html",
        {
            "sees_all": sees_all(person(request)),
            "total": stats.summary(runs),
            "tasks": [Row.of(group) for group in stats.by(lambda run: run.task, runs)],
            "queues": [Row.of(group) for group in stats.by(lambda run: run.queue, runs)],
            "hours_chart": _hours_chart(runs, now),
            "waiting": waiting,
            "running": running,
            "latest": executions[:LATEST],
        },
    )


def _hours_chart(runs: list[stats.Run], now: datetime) -> SafeString:
    series = []
    for place, (hour, group) in enumerate(stats.by_hour(runs, now)):
        clock = date_format(hour, "H:i")
        words = _("%(clock)s: %(good)d succeeded, %(bad)d failed, %(other)d not finished or cancelled")
        title = words % {"clock": clock, "good": group.good, "bad": group.bad, "other": group.other}
        # Counted from the right, so that the hour that is running always has its label.
        series.append(charts.Bar(clock if (23 - place) % 4 == 0 else "", title, group.good, group.bad, group.other))
    return charts.bars(series, _("Executions by the hour, the last 24 hours"))
