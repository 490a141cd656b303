"""One look at an execution: its state, and the output that the looker has not had yet."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from ..models import Attempt, Execution
from .screen import Piece, piece


@dataclass(frozen=True)
class Sight:
    execution: Execution
    attempts: list[Attempt]
    piece: Piece
    finished: bool
    restarted: bool  # a new attempt began: what the looker has read is no longer the output
    at_end: bool  # finished, and nothing left to read: only then may the looker stop asking

    @classmethod
    def of(cls, execution: Execution, *, offset: int, attempt: int | None = None) -> Sight:
        """`offset` counts in the output of `attempt`; a redelivery or a retry starts a new one, with empty output."""
        restarted = attempt is not None and attempt != execution.current_attempt
        offset = 0 if restarted else offset
        attempts = list(execution.attempts.order_by("number"))
        finished = execution.finished
        now = piece(execution.output, offset, finished=finished)
        at_end = finished and now.next_offset >= len(execution.output)
        return cls(execution, attempts, now, finished, restarted, at_end)

    @property
    def elapsed_s(self) -> float | None:
        """How long it took, or has taken so far."""
        if self.finished or self.execution.started_at is None:
            return self.execution.duration_s
        return (timezone.now() - self.execution.started_at).total_seconds()

    @property
    def mark(self) -> str:
        """Differs when anything but output and clock differs, so that screen readers are told of changes only."""
        last = self.attempts[-1] if self.attempts else None
        return f"{self.execution.status}.{len(self.attempts)}.{getattr(last, 'status', '')}"
