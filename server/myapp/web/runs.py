"""Executions as rows for the figures: read once, narrow, from the database."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Q, QuerySet

from ..models import Execution, Status
from .stats import Run
from .words import UNFINISHED

MOST_RUNS = 50_000  # beyond this the figures are of the newest ones; a page must not take all memory


def runs_since(executions: QuerySet[Execution], start: datetime) -> list[Run]:
    """What the figures need of each execution since `start`, oldest first."""
    recent = executions.filter(created_at__gte=start).order_by("-created_at")
    rows = recent.values_list("task", "queue", "status", "started_at", "finished_at", "created_at")[:MOST_RUNS]
    return [
        Run(task, queue, status, _took_s(began, ended), created.astimezone(start.tzinfo))
        for task, queue, status, began, ended, created in reversed(rows)
    ]


def _took_s(began: datetime | None, ended: datetime | None) -> float | None:
    return (ended - began).total_seconds() if began and ended else None


def counts_now(executions: QuerySet[Execution]) -> tuple[int, int]:
    """How many wait, and how many run, whenever they were submitted."""
    found = executions.order_by().aggregate(
        waiting=Count("pk", filter=Q(status__in=UNFINISHED) & ~Q(status=Status.RUNNING)),
        running=Count("pk", filter=Q(status=Status.RUNNING)),
    )
    return found["waiting"], found["running"]
