"""What needs a person: the violated, the unknown and the known, for the terminal. One entry may speak of many rows."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from assay.report import Report
from assay.reports import causes
from assay.reports.matrix import ASCII_SYMBOLS, STYLES, SYMBOLS, mark
from assay.reports.words import plain, row_task, scenario_name
from assay.verdict import Result, Verdict

ENTRIES_SHOWN = 8  # of one reason; the matrix and report.md have them all


def findings(report: Report, ascii_only: bool) -> Iterator[RenderableType]:
    """Claims that do not hold, each with the rows that it breaks; unknown rows by reason."""
    symbols = ASCII_SYMBOLS if ascii_only else SYMBOLS
    yield from _causes(report, symbols)
    yield from _unknown(report, symbols)


def title(text: str, style: str = "bold") -> Text:
    """A heading, after an empty line."""
    return Text(f"\n{text}", style)


def facts(*rows: tuple[str, str]) -> Table:
    """Names and what they say, those that say something."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, value in rows:
        if value:
            table.add_row(name, Text(plain(value), "green" if name == "remedy" else ""))
    return table


def _causes(report: Report, symbols: dict[Verdict, str]) -> Iterator[RenderableType]:
    """One block for each claim that does not hold, however many rows it breaks."""
    found = causes.causes(report)
    if not found:
        return
    yield title(causes.heading(report, found), STYLES[Verdict.VIOLATED])
    for cause in found:
        yield _head(Verdict.VIOLATED, cause.setting, cause.place, symbols)
        yield Padding(facts(*causes.facts(cause, report)), (0, 0, 0, 4))


def _head(verdict: Verdict, setting: str, place: str, symbols: dict[Verdict, str]) -> RenderableType:
    head = Text.assemble((symbols[verdict], STYLES[verdict]), " ", (plain(setting), "bold"))
    if place:
        head.append(f"  {plain(place)}", "cyan")
    return Padding(head, (1, 0, 0, 2))


def _unknown(report: Report, symbols: dict[Verdict, str]) -> Iterator[RenderableType]:
    """By reason: one cause, such as a broker that went away, often leaves many rows unknown."""
    reasons: dict[str, dict[str, list[Result]]] = {}
    for row in report.results:
        if row.verdict is Verdict.UNKNOWN:
            scenarios = reasons.setdefault(plain(row.reason) or "no reason was recorded", {})
            scenarios.setdefault(scenario_name(row), []).append(row)
    if not reasons:
        return
    total = sum(len(rows) for scenarios in reasons.values() for rows in scenarios.values())
    yield title(f"Unknown ({total})", STYLES[Verdict.UNKNOWN])
    for reason, scenarios in reasons.items():
        head = Text.assemble((symbols[Verdict.UNKNOWN], STYLES[Verdict.UNKNOWN]), f" {reason}")
        yield Padding(head, (0, 0, 0, 2))
        for name, rows in list(scenarios.items())[:ENTRIES_SHOWN]:
            yield Padding(Text.assemble((plain(name), "bold"), f"  {plain(causes.tasks(rows, report))}"), (0, 0, 0, 4))
        if len(scenarios) > ENTRIES_SHOWN:
            yield Padding(Text(f"and {len(scenarios) - ENTRIES_SHOWN} more scenarios"), (0, 0, 0, 4))


def known(report: Report, ascii_only: bool) -> Iterator[RenderableType]:
    """Known violations, with the team's reason."""
    rows = [result for result in report.results if result.known]
    claims = [claim for claim in report.claims if claim.known]
    if rows or claims:
        yield title(f"Known violations ({len(rows) + len(claims)}), which do not turn the exit code", "bold magenta")
    for claim in claims:
        yield Padding(Text(plain(claim.setting), "bold"), (0, 0, 0, 2))
        yield Padding(Text(plain(claim.known)), (0, 0, 0, 6))
    for row in rows:
        line = Text.assemble(
            mark(row, ascii_only), "  ", (plain(scenario_name(row)), "bold"), f"  {plain(row_task(row))}"
        )
        yield Padding(line, (0, 0, 0, 2))
        yield Padding(Text(plain(row.known)), (0, 0, 0, 6))
