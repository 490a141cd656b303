"""The record of an execution, kept while it runs. A fencing token keeps an attempt that was overtaken from writing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from autotest.environment import environment
from myapp.models import Attempt, Execution, Status
from myapp.models.executions import FINISHED


@dataclass
class Record:
    """One attempt's right to write to its execution."""

    execution: Execution
    attempt: Attempt

    def __post_init__(self) -> None:
        self._room = environment().script_output_kib * 1024
        self._output = ""

    def hear(self, new: str) -> bool:
        """Append output, capped; False when this attempt was overtaken or cancelled and should stop."""
        kept = new[: max(0, self._room - len(self._output))]
        self._output += kept
        changes: dict[str, Any] = {"output": self._output} if kept else {"worker": self.attempt.worker}
        if len(kept) < len(new):
            changes["output_truncated"] = True
        return bool(self._mine().filter(status=Status.RUNNING).update(**changes))

    def finish(self, status: Status, *, exit_code: int | None = None, error: str = "") -> None:
        """Close the attempt, and the execution unless somebody else has closed or taken it."""
        now = timezone.now()
        Attempt.objects.filter(pk=self.attempt.pk, finished_at=None).update(
            status=status, exit_code=exit_code, error=error, finished_at=now
        )
        ended = None if status == Status.RETRYING else now
        self._mine().filter(status=Status.RUNNING).update(status=status, exit_code=exit_code, error=error, finished_at=ended)

    def _mine(self) -> Any:
        return Execution.objects.filter(pk=self.execution.pk, current_attempt=self.attempt.number)


def begin(request: Any, task: str, queue: str, defaults: dict[str, Any]) -> Record | Execution:
    """A new attempt of this invocation; or its execution, where it is finished and must not run again.

    However often the message is delivered there is one execution. An attempt before this one that never ended is lost:
    its process died, or it will find itself overtaken.
    """
    with transaction.atomic():
        Execution.objects.get_or_create(pk=request.id, defaults={"task": task, "queue": queue, **defaults})
        execution = Execution.objects.select_for_update().get(pk=request.id)
        if execution.status in FINISHED:
            return execution
        now = timezone.now()
        execution.attempts.filter(finished_at=None).update(status=Status.LOST, finished_at=now, error="its process ended without a word")
        number = execution.current_attempt + 1
        attempt = Attempt.objects.create(
            execution=execution,
            number=number,
            worker=request.hostname or "",
            pid=os.getpid(),
            retries=request.retries or 0,
            redelivered=bool((request.delivery_info or {}).get("redelivered")),
        )
        execution.current_attempt = number
        execution.status = Status.RUNNING
        execution.worker = request.hostname or ""
        execution.started_at = execution.started_at or now
        execution.output, execution.output_truncated = "", False
        execution.save()
    return Record(execution, attempt)


def abandoned(older_than: Any) -> int:
    """Close executions that nobody runs any more: their worker was lost and their message with it."""
    stale = Execution.objects.filter(Q(status=Status.RUNNING) | Q(status=Status.RETRYING), started_at__lt=older_than)
    ids = list(stale.values_list("pk", flat=True)[:1000])
    Attempt.objects.filter(execution_id__in=ids, finished_at=None).update(status=Status.LOST, finished_at=timezone.now())
    return Execution.objects.filter(pk__in=ids).update(
        status=Status.LOST, finished_at=timezone.now(), error="no worker has it any more"
    )
