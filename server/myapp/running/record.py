"""The record of an execution, kept while it runs. A fencing token keeps an attempt that was overtaken from writing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from autotest.environment import environment
from myapp.models import Attempt, Execution, Status
from myapp.models.executions import FINISHED
from myapp.running.outage import Patience


@dataclass
class Record:
    """One attempt's right to write to its execution."""

    execution: Execution
    attempt: Attempt

    def __post_init__(self) -> None:
        self.room = environment().script_output_kib * 1024
        self._output = self._unwritten = ""
        self._truncated = False
        self._patience = Patience()

    def hear(self, new: str) -> bool:
        """Append output, capped at `room` characters; False when this attempt was overtaken or cancelled.

        A database that is away for a moment is no reason to stop a script: what was not written is written later.
        """
        kept = new[: max(0, self.room - len(self._output) - len(self._unwritten))]
        self._unwritten += kept
        self._truncated = self._truncated or len(kept) < len(new)
        return self._patience.ask(self._write, otherwise=True)

    def _write(self) -> bool:
        mine = self._mine().filter(status=Status.RUNNING)
        changes: dict[str, Any] = {}
        if self._unwritten:
            changes["output"] = self._output + self._unwritten
        if self._truncated and not self.execution.output_truncated:
            changes["output_truncated"] = True
        if not changes:
            return bool(mine.exists())
        if not mine.update(**changes):
            return False
        self._output, self._unwritten = self._output + self._unwritten, ""
        self.execution.output_truncated = self._truncated
        return True

    def finish(self, status: Status, *, exit_code: int | None = None, error: str = "") -> None:
        """Close the attempt, and the execution unless somebody else has closed or taken it."""
        error = error.replace("\0", "\N{SYMBOL FOR NULL}")[:2000]

        def write() -> None:
            now = timezone.now()
            with transaction.atomic():
                mine = self._mine().filter(status=Status.RUNNING)
                mine.update(
                    status=status,
                    exit_code=exit_code,
                    error=error,
                    output=self._output + self._unwritten,
                    output_truncated=self._truncated,
                    finished_at=None if status == Status.RETRYING else now,
                )
                self._close_attempt(status, exit_code=exit_code, error=error, finished_at=now)

        self._patience.insist(write)

    def leave(self, status: Status, error: str) -> None:
        """Close the attempt alone: the execution is somebody else's now, or its next attempt's."""
        self._close_attempt(status, error=error, finished_at=timezone.now())

    def _close_attempt(self, status: Status, **values: Any) -> None:
        Attempt.objects.filter(pk=self.attempt.pk, finished_at=None).update(status=status, **values)

    def _mine(self) -> Any:
        return Execution.objects.filter(pk=self.execution.pk, current_attempt=self.attempt.number)


def begin(request: Any, task: str, queue: str, given: dict[str, Any]) -> Record | Execution:
    """A new attempt of this invocation; or its execution, where it is finished and must not run again.

    However often the message is delivered there is one execution. An attempt before this one that never ended is lost:
    its process died, or it will find itself overtaken. `given` counts only where nothing is recorded yet.
    """
    with transaction.atomic():
        Execution.objects.get_or_create(pk=request.id, defaults={"task": task, "queue": queue, **given})
        execution = Execution.objects.select_for_update().get(pk=request.id)
        if execution.status in FINISHED:
            return execution
        now = timezone.now()
        execution.attempts.filter(finished_at=None).update(
            status=Status.LOST, finished_at=now, error="its process ended without a word"
        )
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
        execution.exit_code, execution.error, execution.finished_at = None, "", None
        execution.save()
    return Record(execution, attempt)
