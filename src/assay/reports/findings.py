"""What needs a person: the violated, the unknown and the known, for the terminal. One entry may speak of many rows."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from assay.report import Claim, Report
from assay.reports.matrix import ASCII_SYMBOLS, STYLES, SYMBOLS, mark
from assay.reports.words import broken_claims, is_open, plain, row_task, scenario_name
from assay.verdict import Outcome, Result, Verdict

ENTRIES_SHOWN = 8  # of one setting, or of one reason; the matrix and report.md have them all


def findings(report: Report, ascii_only: bool) -> Iterator[RenderableType]:
    """Violated rows by setting, other claims that do not hold, unknown rows by reason."""
    symbols = ASCII_SYMBOLS if ascii_only else SYMBOLS
    yield from _violated(report, symbols)
    yield from _claims(report, symbols)
    yield from _unknown(report, symbols)


def title(text: str, style: str = "bold") -> Text:
    """A heading, after an empty line."""
    return Text(f"\n{text}", style)


def facts(*rows: tuple[str, str], remedies: Iterable[str] = ()) -> Table:
    """Names and what they say, those that say something."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for name, value in rows:
        if value:
            table.add_row(name, Text(plain(value)))
    for remedy in dict.fromkeys(remedies):
        if remedy:
            table.add_row("remedy", Text(plain(remedy), "green"))
    return table


def _violated(report: Report, symbols: dict[Verdict, str]) -> Iterator[RenderableType]:
    """By setting, since one line of the settings usually breaks many rows; the worst outcome first."""
    rows = [result for result in report.results if is_open(result)]
    if not rows:
        return
    yield title(f"Violated ({len(rows)})", STYLES[Verdict.VIOLATED])
    by_setting: dict[str, list[Result]] = {}
    for row in sorted(rows, key=lambda r: -(r.outcome or Outcome.OK).rank):
        by_setting.setdefault(row.claim, []).append(row)
    for setting, group in by_setting.items():
        places = ", ".join(dict.fromkeys(row.place for row in group if row.place))
        yield _head(Verdict.VIOLATED, setting or "not tied to one setting", places, symbols)
        about = facts(("promise", group[0].promise), remedies=(row.remedy for row in group))
        if about.row_count:
            yield Padding(about, (0, 0, 0, 4))
        entries: dict[tuple[str, str], list[Result]] = {}
        for row in group:
            entries.setdefault((scenario_name(row), str(row.outcome)), []).append(row)
        yield from _entries(list(entries.values()), report)


def _entries(entries: Sequence[list[Result]], report: Report) -> Iterator[RenderableType]:
    for rows in entries[:ENTRIES_SHOWN]:
        word = str(rows[0].outcome or rows[0].verdict) if rows[0].outcome is not Outcome.OK else "violated"
        line = Text.assemble((f"{word}  ", "red"), (plain(scenario_name(rows[0])), "bold"))
        yield Padding(line, (0, 0, 0, 4))
        reasons = list(dict.fromkeys(plain(row.reason) for row in rows))
        more = " (the others alike, in report.md)" if len(reasons) > 1 else ""
        yield Padding(Text(_tasks(rows, report)), (0, 0, 0, 6))
        yield Padding(Text(f"{reasons[0]}{more}"), (0, 0, 0, 6))
    if len(entries) > ENTRIES_SHOWN:
        rest = f"and {len(entries) - ENTRIES_SHOWN} more scenarios, in the matrix below and in report.md"
        yield Padding(Text(rest), (0, 0, 0, 4))


def _tasks(rows: Sequence[Result], report: Report) -> str:
    """ "every task", or their names."""
    everybody = {result.task for result in report.results}
    if len(everybody) > 1 and {row.task for row in rows} == everybody:
        return "every task"
    return ", ".join(dict.fromkeys(plain(row_task(row)) for row in rows))


def _head(verdict: Verdict, setting: str, place: str, symbols: dict[Verdict, str]) -> RenderableType:
    head = Text.assemble((symbols[verdict], STYLES[verdict]), " ", (plain(setting), "bold"))
    if place:
        head.append(f"  {plain(place)}", "cyan")
    return Padding(head, (1, 0, 0, 2))


def _claims(report: Report, symbols: dict[Verdict, str]) -> Iterator[RenderableType]:
    """Those that no violated row has told already."""
    told = {result.claim for result in report.results if is_open(result)}
    broken = [c for c in broken_claims(report) if c.setting not in told and c.verdict is Verdict.VIOLATED]
    if broken:
        yield title(f"Claims that do not hold ({len(broken)})", STYLES[Verdict.worst(c.verdict for c in broken)])
    for claim in broken:
        yield _head(claim.verdict, claim.setting, claim.place, symbols)
        yield Padding(_claim(claim), (0, 0, 0, 4))


def _claim(claim: Claim) -> Table:
    return facts(("promise", claim.promise), ("observed", claim.observed), remedies=[claim.remedy])


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
            yield Padding(Text.assemble((plain(name), "bold"), f"  {_tasks(rows, report)}"), (0, 0, 0, 4))
        if len(scenarios) > ENTRIES_SHOWN:
            yield Padding(Text(f"and {len(scenarios) - ENTRIES_SHOWN} more scenarios"), (0, 0, 0, 4))


def known(report: Report, ascii_only: bool) -> Iterator[RenderableType]:
    """Known violations, with the team's reason."""
    rows = [result for result in report.results if result.known]
    if rows:
        yield title(f"Known violations ({len(rows)}), which do not turn the exit code", "bold magenta")
    for row in rows:
        line = Text.assemble(
            mark(row, ascii_only), "  ", (plain(scenario_name(row)), "bold"), f"  {plain(row_task(row))}"
        )
        yield Padding(line, (0, 0, 0, 2))
        yield Padding(Text(plain(row.known)), (0, 0, 0, 6))
