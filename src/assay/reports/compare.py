"""What became of the guarantees, for a person at a terminal and as JSON: worst first, a block for each cause."""

from collections.abc import Iterator

import msgspec
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from assay.compare.comparison import UNPROVED, WORSE, Comparison, Drift, Kind
from assay.reports.drifts import EXIT_WORDS, HEADS, compared_with, heading, lines, tally, tasks, timing, unfit
from assay.reports.findings import facts, title
from assay.reports.printed import printed
from assay.reports.words import plain

STYLES = {0: "green", 1: "bold red", 3: "bold yellow"}
SYMBOLS = {0: "✓", 1: "✗", 3: "?"}
ASCII_SYMBOLS = {0: "+", 1: "x", 3: "?"}
_BY, _DEEP = (0, 0, 0, 2), (0, 0, 0, 6)


def render(comparison: Comparison, *, width: int, color: bool, ascii_only: bool = False) -> str:
    """The whole comparison as text of `width` columns, with ANSI codes only where `color` is asked for."""
    return printed(_parts(comparison, ascii_only), width=width, color=color, ascii_only=ascii_only)


def json(comparison: Comparison) -> str:
    """As it is written to a file."""
    return msgspec.json.format(msgspec.json.encode(comparison), indent=2).decode() + "\n"


def _parts(comparison: Comparison, ascii_only: bool) -> Iterator[RenderableType]:
    code = comparison.exit_code
    symbol = (ASCII_SYMBOLS if ascii_only else SYMBOLS)[code]
    yield Text.assemble((f"{symbol} {HEADS[code]}", STYLES[code]), f"  {plain(comparison.app)}: {tally(comparison)}")
    if comparison.blind:
        yield Padding(Text(f"no green counts: {plain(comparison.blind)}", "yellow"), _BY)
    if why := unfit(comparison):
        yield Padding(Text(plain(why), "yellow"), _BY)
    everybody = tasks(comparison)
    for kind in Kind:
        drifts = comparison.of(kind)
        if drifts:
            yield title(heading(kind, drifts), _style(kind))
        for drift in drifts:
            yield from _drift(drift, everybody)
    yield from _listed("Times", [timing(each) for each in comparison.timings])
    yield from _listed(
        "Settings that differ",
        [each.placed for each in comparison.settings],
    )
    yield from _listed("Versions that differ", [str(each) for each in comparison.environment])
    yield from _listed("Compared with", compared_with(comparison))
    yield Text("")
    line = Text(HEADS[code], STYLES[code])
    yield line.append(f", exit code {code}: {EXIT_WORDS[code]}", "not bold default")


def _drift(drift: Drift, everybody: int) -> Iterator[RenderableType]:
    head = Text(plain(drift.cause), "bold")
    if drift.place:
        head.append(f"  {plain(drift.place)}", "cyan")
    yield Padding(head, _BY)
    for line in lines(drift, everybody):
        whose = f"{plain(line.whose)}: " if line.whose else ""
        yield Padding(Text.assemble(whose, (plain(line.became), "bold")), (0, 0, 0, 4))
        yield Padding(facts(("rows", line.rows), ("why", line.reason)), _DEEP)


def _style(kind: Kind) -> str:
    if kind in WORSE:
        return STYLES[1]
    return STYLES[3] if kind in UNPROVED else "green" if kind is Kind.STRONGER else "bold"


def _listed(heading_: str, said: list[str]) -> Iterator[RenderableType]:
    if said:
        yield title(heading_)
    for each in said:
        yield Padding(Text(plain(each)), _BY)
