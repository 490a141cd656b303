"""What a run tells while it works: `Progress`, and the ways that need no terminal (reports/live.py has the other)."""

import time
from types import TracebackType
from typing import Protocol, Self, TextIO

from assay.reports.words import plain, row_line
from assay.verdict import Result


class Progress(Protocol):
    """Called from one thread, the run's own. Each call returns at once and never raises."""

    def phase(self, text: str) -> None:
        """What is being done now ("importing the app"); replaces the phase before."""

    def note(self, text: str) -> None:
        """A line that stays ("broker_url -> redis://127.0.0.1:41234/0")."""

    def plan(self, total: int) -> None:
        """How many rows `finished` will be told about."""

    def started(self, label: str) -> None:
        """A scenario began: "suite.scenario task". Several may be open at once."""

    def finished(self, result: Result) -> None:
        """One row is judged."""


class Silent:
    """Tells nothing."""

    def phase(self, text: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def plan(self, total: int) -> None:
        """Nothing."""

    def started(self, label: str) -> None:
        """Nothing."""

    def finished(self, result: Result) -> None:
        """Nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        pass


class PlainLines(Silent):
    """One line for each phase, note and finished row: for logs and CI. A broken stream is not the run's concern."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._began = time.monotonic()
        self._total = 0
        self._done = 0

    def phase(self, text: str) -> None:
        """A line with the seconds since the beginning."""
        self._line(plain(text))

    def note(self, text: str) -> None:
        """An indented line."""
        self._line(f"  {plain(text)}")

    def plan(self, total: int) -> None:
        """The total that `finished` counts towards."""
        self._total = total

    def finished(self, result: Result) -> None:
        """The row's verdict, outcome and name."""
        self._done += 1
        self._line(f"[{self._done}/{self._total or '?'}] {row_line(result)}")

    def _line(self, text: str) -> None:
        try:
            print(f"{time.monotonic() - self._began:6.1f} s  {text}", file=self._stream, flush=True)
        except (OSError, ValueError):
            self._stream = open("/dev/null", "w")  # noqa: SIM115 - for the rest of the process
