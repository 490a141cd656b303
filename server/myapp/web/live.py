"""One look at an execution: its state, and the output that the looker has not had yet."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from ..models import Attempt, Execution
from .screen import Piece, piece
from .words import is_finished


@dataclass(frozen=True)
class Sight:
    execution: Execution
    attempts: list[Attempt]
    piece: Piece
    finished: bool
    at_end: bool  # finished, and nothing left to read: only then may the looker stop asking

    @classmethod
    def of(cls, execution: Execution, *, offset: int) -> Sight:
        attempts = list(execution.attempts.order_by("number"))
        finished = is_finished(execution.status)
        now = piece(execution.output, offset, finished=finished)
        return cls(execution, attempts, now, finished, finished and now.next_offset >= len(execution.output))

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
