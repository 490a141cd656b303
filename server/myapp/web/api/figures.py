"""Figures of the last 24 hours over the API."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from .. import stats
from ..access import visible_to
from ..runs import counts_now, runs_since
from .endpoint import Endpoint


class Stats(Endpoint):
    def get(self, request: HttpRequest) -> dict[str, Any]:
        start = timezone.now() - stats.PERIOD
        executions = visible_to(self.user)
        runs = runs_since(executions, start)
        waiting, running = counts_now(executions)
        return {
            "since": start.isoformat(),
            "waiting": waiting,
            "running": running,
            "total": _figures(stats.summary(runs)),
            "tasks": {group.name: _figures(group) for group in stats.by(lambda run: run.task, runs)},
            "queues": {group.name: _figures(group) for group in stats.by(lambda run: run.queue, runs)},
        }


def _figures(group: stats.Summary) -> dict[str, Any]:
    return {
        "count": group.count,
        "succeeded": group.good,
        "failed": group.bad,
        "success_rate": group.success_rate,
        "median_s": group.median_s,
        "p95_s": group.p95_s,
    }
