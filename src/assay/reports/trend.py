"""Each guarantee over many runs, a mark for each run, for a person at a terminal and as JSON."""

from collections.abc import Iterator, Sequence

import msgspec
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from assay.compare.trend import Guarantee, Trend
from assay.counted import counted
from assay.reports.findings import title
from assay.reports.matrix import ASCII_SYMBOLS, STYLES, SYMBOLS
from assay.reports.printed import printed
from assay.reports.words import plain, seconds
from assay.verdict import Verdict

BARS, ASCII_BARS = "▁▂▃▄▅▆▇█", "_.:-=+*#"
MOST = 40  # runs, the newest
ROWS = 20  # that were not the same in all runs
_BY = (0, 0, 0, 2)


def render(trend: Trend, *, width: int, color: bool, ascii_only: bool = False) -> str:
    """The whole trend as text of `width` columns, with ANSI codes only where `color` is asked for."""
    return printed(_parts(trend, ascii_only), width=width, color=color, ascii_only=ascii_only)


def json(trend: Trend) -> str:
    """As it is written to a file."""
    return msgspec.json.format(msgspec.json.encode(trend), indent=2).decode() + "\n"


def _parts(trend: Trend, ascii_only: bool) -> Iterator[RenderableType]:
    shown = f", the newest {MOST} are shown" if len(trend.started_at) > MOST else ""
    yield Text(f"{plain(trend.app)}: {counted(len(trend.started_at), 'run')}, oldest first{shown}", "bold")
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("guarantee", "runs", "held, newest", "recovery", "median, oldest to newest"):
        table.add_column(name, no_wrap=name == "runs", overflow="fold")
    table.add_row(Text("the run", "bold"), _marks(trend.verdicts, ascii_only))
    for each in trend.guarantees:
        times = [time for time in each.recovery_s if time is not None]
        span = f"{seconds(times[0])} to {seconds(times[-1])}" if times else ""
        table.add_row(
            plain(each.setting),
            _marks(each.verdicts, ascii_only),
            _held(each),
            _bars(each.recovery_s, ascii_only),
            span,
        )
    yield Padding(table, _BY)
    if any(trend.changed):
        yield title("What was changed")
    for number, changed in enumerate(trend.changed):
        for line in changed:
            yield Padding(Text(f"{plain(trend.started_at[number])}: {plain(line)}"), _BY)
    if trend.unsteady:
        yield title(f"Rows that were not the same in all runs ({len(trend.unsteady)})")
    for row in trend.unsteady[:ROWS]:
        yield Padding(Text(f"{plain(row.scenario)}  {plain(row.task)}: {_became(row.words)}"), _BY)
    if len(trend.unsteady) > ROWS:
        yield Padding(Text(f"and {len(trend.unsteady) - ROWS} more"), _BY)
    for note in trend.notes:
        yield Padding(Text(plain(note), "dim"), (1, 0, 0, 0))


def _marks(verdicts: Sequence[Verdict | None], ascii_only: bool) -> Text:
    symbols = ASCII_SYMBOLS if ascii_only else SYMBOLS
    line = Text()
    for verdict in verdicts[-MOST:]:
        line.append(symbols[verdict] if verdict else "-", STYLES[verdict] if verdict else "dim")
    return line


def _held(each: Guarantee) -> str:
    return f"{each.held[-1]} of {each.rows[-1]}" if each.rows[-1] else "not run"


def _bars(values: Sequence[float | None], ascii_only: bool) -> str:
    """The highest is the longest of all runs; a blank where nothing recovered."""
    bars = ASCII_BARS if ascii_only else BARS
    most = max((each for each in values if each is not None), default=0.0)
    if not most:
        return ""
    return "".join(" " if each is None else bars[round(each / most * (len(bars) - 1))] for each in values[-MOST:])


def _became(words: Sequence[str]) -> str:
    """ "at-least-once (4 runs), lost (2)": in order, runs of the same taken together."""
    parts: list[tuple[str, int]] = []
    for word in words:
        if parts and parts[-1][0] == word:
            parts[-1] = (word, parts[-1][1] + 1)
        else:
            parts.append((word, 1))
    return " -> ".join(f"{word or 'not run'}" + (f" ({number} runs)" if number > 1 else "") for word, number in parts)
