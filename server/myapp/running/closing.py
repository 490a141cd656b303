"""Executions whose end no attempt could record: their process was killed, or their message is gone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from celery import signals
from django.db import connection
from django.db.models import Max, QuerySet
from django.utils import timezone

BATCH = 200
LIMITS = ("TimeLimitExceeded", "SoftTimeLimitExceeded")
LOST = ("WorkerLostError", "TooManyStarts", "Terminated")


def connect() -> None:
    signals.task_failure.connect(failed, dispatch_uid="autotest-failed")
    signals.task_revoked.connect(revoked, dispatch_uid="autotest-revoked")


def failed(task_id: str = "", exception: BaseException | None = None, **_: Any) -> None:
    """Celery gave the invocation up. After a hard limit or a lost worker only the main process is left to tell."""
    from myapp.models import Status

    kind = type(exception).__name__
    status = Status.TIMED_OUT if kind in LIMITS else Status.LOST if kind in LOST else Status.FAILED
    _close(task_id, status, f"{kind}: {exception}")


def revoked(request: Any = None, terminated: bool = False, expired: bool = False, **_: Any) -> None:
    """Revoked by `celery control revoke`, say; cancelling on the page has closed it before."""
    from myapp.models import Status

    _close(request.id, Status.CANCELLED, "expired" if expired else "revoked")


def _close(task_id: str, status: Any, error: str) -> None:
    from myapp.models import Execution

    try:
        UUID(task_id)
    except ValueError:
        return  # none of ours
    try:
        close(Execution.objects.filter(pk=task_id), status, error)
    finally:
        connection.close_if_unusable_or_obsolete()  # a main process may not ask again for days


def close(executions: QuerySet[Any], status: Any, error: str) -> int:
    """Close those that are open, with their open attempts."""
    from myapp.models import Attempt
    from myapp.models.executions import FINISHED

    now, error = timezone.now(), error.replace("\0", " ")[:2000]
    ids = list(executions.exclude(status__in=FINISHED).values_list("pk", flat=True))
    closed = executions.model.objects.filter(pk__in=ids).exclude(status__in=FINISHED)
    count = closed.update(status=status, error=error, finished_at=now)
    Attempt.objects.filter(execution_id__in=ids, finished_at=None, execution__status__in=FINISHED).update(
        status=status, error=error, finished_at=now
    )
    return int(count)


def abandoned(running_before: datetime, waiting_before: datetime) -> int:
    """Close what nobody runs or will run any more: the worker was lost, and the message with it. How many there were.

    A running one is judged by its newest attempt, since the first one may be long ago. One that waits may do so for
    days behind others, so only time tells.
    """
    from myapp.models import Execution, Status

    running = Execution.objects.filter(status=Status.RUNNING).annotate(newest=Max("attempts__started_at"))
    waiting = Execution.objects.filter(status__in=(Status.QUEUED, Status.RETRYING), created_at__lt=waiting_before)
    return sum(
        close(Execution.objects.filter(pk__in=ids), Status.LOST, "no worker has it any more")
        for stale in (running.filter(newest__lt=running_before), waiting)
        for ids in batches(stale)
    )


def batches(found: QuerySet[Any]) -> Iterator[list[Any]]:
    """Primary keys, BATCH at a time; the caller changes the rows so that they are not found again."""
    last: list[Any] = []
    while (ids := list(found.order_by("pk").values_list("pk", flat=True)[:BATCH])) and ids != last:
        yield ids
        last = ids
