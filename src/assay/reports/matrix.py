"""The matrix of one run: a table for each suite, scenarios down, profiles across, an outcome in each cell.

Where the columns do not fit the width, each row groups the profiles by what happened to them instead, so that no word
is cut. Symbols carry the verdict, words the outcome; colour only repeats them.
"""

import string
from collections.abc import Iterator, Sequence
from itertools import count, product

import msgspec
from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from assay.reports.words import cell, plain
from assay.verdict import Result, Verdict

Key = tuple[str, str]  # scenario, fault
SYMBOLS = {Verdict.HELD: "✓", Verdict.VIOLATED: "✗", Verdict.UNKNOWN: "?"}
ASCII_SYMBOLS = {Verdict.HELD: "+", Verdict.VIOLATED: "x", Verdict.UNKNOWN: "?"}
STYLES = {Verdict.HELD: "green", Verdict.VIOLATED: "bold red", Verdict.UNKNOWN: "bold yellow"}
MEMBERS_SHOWN = 8


def mark(result: Result, ascii_only: bool) -> Text:
    """Symbol, outcome, recovery time."""
    symbols = ASCII_SYMBOLS if ascii_only else SYMBOLS
    if result.known:
        return Text(f"! {cell(result)}", "magenta")
    return Text(f"{symbols[result.verdict]} {cell(result)}", STYLES[result.verdict])


def columns(results: Sequence[Result]) -> dict[str, str]:
    """Task -> its column's letter, in the order of the results; A to Z, then AA and so on."""
    tasks = list(dict.fromkeys(result.task for result in results))
    letters = ("".join(pair) for size in count(1) for pair in product(string.ascii_uppercase, repeat=size))
    return dict(zip(tasks, letters, strict=False))


def legend(results: Sequence[Result], width: int, ascii_only: bool) -> RenderableType:
    """Which task a letter stands for, and the others of its profile, which behave alike."""
    members = {result.task: [m for m in result.members if m != result.task] for result in results}
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    letters = columns(results)
    for task, letter in letters.items():
        table.add_row(Text(letter, "bold") if len(letters) > 1 else Text("task"), Text(plain(task)))
        if others := members[task]:
            shown = ", ".join(plain(name) for name in others[:MEMBERS_SHOWN])
            rest = f" and {len(others) - MEMBERS_SHOWN} more, named in report.md" if len(others) > MEMBERS_SHOWN else ""
            table.add_row("", Text(f"counts for {shown}{rest}", "dim"))
    if len(letters) > 1 and not _Widths(results, width, ascii_only).fit:
        table.add_row("", Text("an outcome without letters is that of all of them", "dim"))
    return table


class _Widths:
    """Of the names and of the cells, over all suites, so that the eye can go down a column through them all."""

    def __init__(self, results: Sequence[Result], width: int, ascii_only: bool) -> None:
        names = (name for rows in _suites(results).values() for name in _names(list(rows)).values())
        self.name = min(max(map(cell_len, names), default=0), width // 2)
        self.cell = max((mark(result, ascii_only).cell_len for result in results), default=0)
        self.fit = self.name + len(columns(results)) * (self.cell + 2) <= width


def tables(results: Sequence[Result], width: int, ascii_only: bool) -> Iterator[tuple[str, RenderableType]]:
    """A title and a table for each suite, at most `width` columns wide."""
    letters = columns(results)
    widths = _Widths(results, width, ascii_only)
    for suite, rows in _suites(results).items():
        names = _names(list(rows))
        headed = widths.fit and len(letters) > 1
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold", show_header=headed)
        table.add_column(width=widths.name, overflow="fold")
        for letter in letters.values() if widths.fit else [""]:
            table.add_column(letter, width=widths.cell if widths.fit else None, overflow="fold")
        for key, row in rows.items():
            cells = _cells(row, list(letters), ascii_only) if widths.fit else [_grouped(row, letters, ascii_only)]
            table.add_row(Text(names[key]), *cells)
        yield plain(suite), table


def _suites(results: Sequence[Result]) -> dict[str, dict[Key, list[Result]]]:
    suites: dict[str, dict[Key, list[Result]]] = {}
    for result in results:
        suites.setdefault(result.suite, {}).setdefault((result.scenario, result.fault), []).append(result)
    return suites


def _names(keys: Sequence[Key]) -> dict[Key, str]:
    """The scenario; with its fault only where a scenario has several."""
    scenarios = [scenario for scenario, _ in keys]
    return {key: plain(key[0] if scenarios.count(key[0]) == 1 else f"{key[0]} {key[1]}") for key in keys}


def _worst(row: Sequence[Result]) -> dict[str, Result]:
    by_task: dict[str, Result] = {}
    for result in sorted(row, key=lambda r: r.verdict.rank):
        by_task[result.task] = result
    return by_task


def _cells(row: Sequence[Result], tasks: Sequence[str], ascii_only: bool) -> list[Text]:
    by_task = _worst(row)
    return [mark(by_task[task], ascii_only) if task in by_task else Text("-", "dim") for task in tasks]


def _grouped(row: Sequence[Result], letters: dict[str, str], ascii_only: bool) -> Text:
    """ "✗ lost B   ✓ recovered 0.6 s A,C": worst first, the slowest recovery of each. No letter: all the tasks."""
    groups: dict[str, list[Result]] = {}
    for result in sorted(_worst(row).values(), key=lambda r: (-r.verdict.rank, list(letters).index(r.task))):
        bare = msgspec.structs.replace(result, recovery_s=None)
        groups.setdefault(mark(bare, ascii_only).plain, []).append(result)
    line = Text()
    for results in groups.values():
        times = [r for r in results if r.recovery_s is not None]
        slowest = max(times, key=lambda r: r.recovery_s or 0.0, default=results[0])
        line += mark(slowest, ascii_only)
        everybody = len(results) == len(letters)
        line += Text("" if everybody else f" {','.join(letters[r.task] for r in results)}   ", "bold")
    line.rstrip()
    return line
