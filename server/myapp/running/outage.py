"""How long a database may be away before a running script is given up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

T = TypeVar("T")
#: seconds; beyond it the attempt ends, and is retried as after every transient error
MOST_S = 30.0
PAUSE_S = 1.0


class Patience:
    """Bears errors that go away by themselves for MOST_S, counted from the first one in a row."""

    def __init__(self, most_s: float = MOST_S, pause: Callable[[float], None] = time.sleep) -> None:
        self._most_s, self._pause = most_s, pause
        self._away_since: float | None = None

    def ask(self, question: Callable[[], T], otherwise: T) -> T:
        """The answer, or `otherwise` while the database is away. Raises its error when that takes too long."""
        try:
            answer = question()
        except (OperationalError, InterfaceError):
            connection.close_if_unusable_or_obsolete()
            now = time.monotonic()
            self._away_since = now if self._away_since is None else self._away_since
            if now - self._away_since >= self._most_s:
                raise
            return otherwise
        self._away_since = None
        return answer

    def insist(self, act: Callable[[], object]) -> None:
        """Until it is done. A database tells nobody when it is back, so it is asked every second."""
        undone = object()
        while self.ask(lambda: (act(), None)[1], otherwise=undone) is undone:  # type: ignore[arg-type]
            self._pause(PAUSE_S)
