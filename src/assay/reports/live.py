"""Progress on a terminal: a line for what stays, a moving line for what is being done."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from assay.reports.words import is_open, plain, row_line
from assay.verdict import Result, Verdict


class Live:
    """On stderr, wiped away at the end; rows that did not hold stay. A context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[told]}", markup=False),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None, told="")
        self._open: list[str] = []
        self._violated = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._bar.stop()

    def phase(self, text: str) -> None:
        """Beside the bar."""
        self._tell(text)

    def note(self, text: str) -> None:
        """A line above the bar, which stays."""
        self._console.print(Text(plain(text), "dim"))

    def plan(self, total: int) -> None:
        """The bar's end."""
        self._bar.update(self._task, total=total)

    def started(self, label: str) -> None:
        """The newest one is named beside the bar, the others are counted."""
        self._open.append(label)
        self._tell_open()

    def finished(self, result: Result) -> None:
        """The bar moves; a row that did not hold stays above it."""
        self._bar.advance(self._task)
        label = f"{result.suite}.{result.scenario} {result.task}"
        self._open = [other for other in self._open if other != label]
        self._violated += is_open(result)
        if result.verdict is not Verdict.HELD:
            style = "red" if is_open(result) else "magenta" if result.known else "yellow"
            self._console.print(Text(row_line(result), style))
        self._tell_open()

    def _tell_open(self) -> None:
        others = f" (+{len(self._open) - 1})" if len(self._open) > 1 else ""
        self._tell(f"{self._open[-1]}{others}" if self._open else "")

    def _tell(self, text: str) -> None:
        violated = f"{self._violated} violated  " if self._violated else ""
        self._bar.update(self._task, told=violated + plain(text))
