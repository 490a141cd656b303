"""The verdict of a gate for a person: a line for each part, and what is behind those that are not green."""

from collections.abc import Iterator, Sequence

import msgspec
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from assay.gating.told import Gated
from assay.reports.findings import title
from assay.reports.matrix import ASCII_SYMBOLS, STYLES, SYMBOLS
from assay.reports.printed import printed
from assay.reports.words import plain
from assay.verdict import Verdict

_BY = (0, 0, 0, 2)
WORDS = {
    0: "it may be merged",
    1: "it may not be merged as it is",
    2: "what was given for it cannot be used",
    3: "not all could be judged, and unknown is never green",
}


def render(
    gated: Gated, folder: str, commands: Sequence[str] = (), *, width: int, color: bool, ascii_only: bool = False
) -> str:
    """The whole text of `width` columns, with ANSI codes only where `color` is asked for.

    `commands` go on from here where it is not green; each is a line that can be copied whole.
    """
    return printed(_parts(gated, folder, commands, ascii_only), width=width, color=color, ascii_only=ascii_only)


def json(gated: Gated) -> str:
    """As it is written to a file."""
    return msgspec.json.format(msgspec.json.encode(gated), indent=2).decode() + "\n"


def _parts(gated: Gated, folder: str, commands: Sequence[str], ascii_only: bool) -> Iterator[RenderableType]:
    symbols = ASCII_SYMBOLS if ascii_only else SYMBOLS
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for part in gated.parts:
        mark = Text(f"{symbols[part.verdict]} {part.verdict}", STYLES[part.verdict])
        table.add_row(mark, Text(part.name, "bold"), Text(plain(part.why)))
    yield table
    for part in gated.parts:
        if part.verdict is Verdict.HELD or not part.details:
            continue
        yield title(f"What speaks against it: {part.name}", STYLES[part.verdict])
        for line in part.details:
            yield Padding(Text(plain(line)), _BY)
    yield Text(f"\nrecorded in {folder}: report.md for a person, report.json, gate.json and others for programs", "dim")
    for command in commands if gated.exit_code else ():
        yield Text.assemble(("next  ", "dim"), (plain(command), "cyan"), no_wrap=True, overflow="ignore")
    last = Text(f"gate: {gated.verdict}", STYLES[gated.verdict])
    red = [part.name for part in gated.parts if part.verdict is gated.verdict and part.verdict is not Verdict.HELD]
    by = f" by {', '.join(red)}" if red else ""
    yield last.append(f"{by}, exit code {gated.exit_code}: {WORDS[gated.exit_code]}", "not bold default")
