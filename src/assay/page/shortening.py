"""The tables and lists of a page that would be too large, made shorter: the worst stays. Pure."""

from typing import Any, NamedTuple

import msgspec

from assay.page.shown import Artefact, Cell, Line, Page, Spread, Table

WORST = ("violated", "unknown", "known", "allowed", "held", "plain", "none")
WHOLE = ("title", "commands", "folder", "base", "artefacts", "left_out")  # what is few, or of no use in part


class Most(NamedTuple):
    """What is shown at most: `titles` of cells, `lines` and `columns` of a table, `items` of a list, `text` in
    characters, `dots` of recovery times."""

    titles: bool
    lines: int
    columns: int
    items: int
    text: int
    dots: int


ALL = 10**9
#: one after the other, until the page is small enough; no table but of tasks has more columns than the last allows
STEPS = (
    Most(True, ALL, ALL, ALL, ALL, 400),
    Most(False, ALL, ALL, ALL, ALL, 400),
    Most(False, 100, 60, 300, 4000, 200),
    Most(False, 60, 30, 100, 1000, 100),
    Most(False, 30, 15, 40, 400, 50),
    Most(False, 10, 6, 15, 200, 10),
)


def shortened(page: Page, most: Most) -> Page:
    """The same with no more than that, and a sentence about it."""
    if most == STEPS[0]:
        return page
    shortening = _Shortening(most)
    given = {name: shortening.of(getattr(page, name)) for name in page.__struct_fields__ if name not in WHOLE}
    told = ["Why a cell of a table is as it is, which is shown on pointing at it, is left out: report.json tells it"]
    if shortening.cut:
        told.append(f"Lists end after {most.items} entries and texts after {most.text} characters: report.json has all")
    return msgspec.structs.replace(page, **{**given, "dots": most.dots, "left_out": [*page.left_out, *told]})


def cells(page: Page) -> int:
    """How many there are in the largest tables."""
    return sum(len(line.cells) for table in (*page.matrix, page.points) if table for line in table.lines)


class _Shortening:
    """`cut`: whether a list or a text was."""

    def __init__(self, most: Most) -> None:
        self._most = most
        self.cut = False

    def of(self, value: Any) -> Any:
        """A text, a list, a tuple, a struct; what else there is stays as it is."""
        match value:
            case str():
                return self._text(value)
            case list():
                self.cut |= len(value) > self._most.items
                return [self.of(each) for each in value[: self._most.items]]
            case tuple():
                return tuple(self.of(each) for each in value)
            case Table():
                return self._table(value)
            case Spread() | Artefact():
                return value
            case msgspec.Struct():
                given = {name: self.of(getattr(value, name)) for name in value.__struct_fields__}
                return msgspec.structs.replace(value, **given)
            case _:
                return value

    def _text(self, text: str) -> str:
        if len(text) <= self._most.text:
            return text
        self.cut = True
        return f"{text[: self._most.text]} ... {len(text) - self._most.text} more characters"

    def _table(self, table: Table) -> Table:
        """Its worst lines and columns, these first, where it has more than are shown."""
        lines, columns = table.lines, list(range(len(table.columns)))
        if len(lines) > self._most.lines:
            lines = sorted(lines, key=lambda line: min(map(_rank, line.cells), default=len(WORST)))
        if len(columns) > self._most.columns:
            worst = [min((_rank(line.cells[at]) for line in lines), default=len(WORST)) for at in columns]
            columns = sorted(columns, key=lambda at: worst[at])
        lines, shown = lines[: self._most.lines], columns[: self._most.columns]
        return msgspec.structs.replace(
            table,
            columns=[self._text(table.columns[at]) for at in shown],
            lines=[Line(self._text(line.name), [self._cell(line.cells[at]) for at in shown]) for line in lines],
            left_out=table.left_out + len(table.lines) - len(lines),
            left_columns=len(columns) - len(shown),
        )

    def _cell(self, cell: Cell) -> Cell:
        return msgspec.structs.replace(
            cell, text=self._text(cell.text), title="" if not self._most.titles else cell.title
        )


def _rank(cell: Cell) -> int:
    return WORST.index(cell.tone) if cell.tone in WORST else len(WORST)
