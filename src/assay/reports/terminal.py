"""The report for a person at a terminal: verdict, what broke and its remedy, the unknown, the matrix, the run."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from assay.report import Claim, Report
from assay.reports.matrix import ASCII_SYMBOLS, STYLES, SYMBOLS, legend, mark, tables
from assay.reports.words import EXIT_WORDS, evidence, is_open, plain, replay, row_task, scenario_name, stack, tally
from assay.verdict import Outcome, Result, Verdict

ROWS_SHOWN = 8  # of one setting, or of one reason; the matrix and report.md have them all


def render(report: Report, folder: Path | None, *, width: int, color: bool, ascii_only: bool = False) -> str:
    """The whole report as text of at most `width` columns, with ANSI codes only where `color` is asked for."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )
    for part in _parts(report, folder, width, ascii_only):
        console.print(part)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _parts(report: Report, folder: Path | None, width: int, ascii_only: bool) -> Iterator[RenderableType]:
    symbols = ASCII_SYMBOLS if ascii_only else SYMBOLS
    yield _headline(report, symbols)
    yield from _violated(report, symbols)
    yield from _claims(report, symbols)
    yield from _unknown(report, symbols)
    if report.results:
        yield _title("Outcomes")
        yield Padding(legend(report.results), (0, 0, 0, 2))
        for suite, table in tables(report.results, width - 2, ascii_only):
            yield Text(f"\n{suite}", "bold")
            yield Padding(table, (0, 0, 0, 2))
    yield from _known(report)
    yield from _listed("Redirected (nothing else was changed)", report.redirected)
    yield from _listed("Scaled down (times above are in production units)", report.scaled)
    yield from _ending(report, folder)


def _headline(report: Report, symbols: dict[Verdict, str]) -> RenderableType:
    style = STYLES[report.verdict]
    app = plain(str(report.app.get("name") or report.app.get("module") or "the app"))
    line = Text.assemble(
        (f"{symbols[report.verdict]} {str(report.verdict).upper()}", style), f"  {app}: {tally(report)}"
    )
    line.append(f"\n  {plain(stack(report))}, {report.duration_s:.0f} s", "dim")
    return line


def _title(text: str, style: str = "bold") -> Text:
    return Text(f"\n{text}", style)


def _violated(report: Report, symbols: dict[Verdict, str]) -> Iterator[RenderableType]:
    """By setting, since one line of the settings usually breaks many rows; the worst outcome first."""
    rows = [result for result in report.results if is_open(result)]
    if not rows:
        return
    yield _title(f"Violated ({len(rows)})", STYLES[Verdict.VIOLATED])
    groups: dict[str, list[Result]] = {}
    for row in sorted(rows, key=_badness):
        groups.setdefault(row.claim, []).append(row)
    promises = {claim.setting: claim.promise for claim in report.claims}
    for claim, group in groups.items():
        yield from _setting(claim, group, promises.get(claim, ""), symbols)


def _badness(result: Result) -> int:
    outcome = result.outcome or Outcome.OK
    return -outcome.rank


def _setting(claim: str, rows: Sequence[Result], promise: str, symbols: dict[Verdict, str]) -> Iterator[RenderableType]:
    places = ", ".join(dict.fromkeys(plain(row.place) for row in rows if row.place))
    head = Text.assemble((symbols[Verdict.VIOLATED], STYLES[Verdict.VIOLATED]), " ")
    head.append(plain(claim) or "not tied to one setting", "bold")
    if places:
        head.append(f"  {places}", "cyan")
    yield Padding(head, (1, 0, 0, 2))
    facts = _facts()
    if promise:
        facts.add_row("promise", Text(plain(promise)))
    for remedy in dict.fromkeys(row.remedy for row in rows if row.remedy):
        facts.add_row("remedy", Text(plain(remedy), "green"))
    if facts.row_count:
        yield Padding(facts, (0, 0, 0, 4))
    for row in rows[:ROWS_SHOWN]:
        yield from _row(row, mark_it=True)
    if len(rows) > ROWS_SHOWN:
        yield Padding(
            Text(f"and {len(rows) - ROWS_SHOWN} more rows, in the matrix below and in report.md"), (0, 0, 0, 4)
        )


def _row(row: Result, mark_it: bool) -> Iterator[RenderableType]:
    line = Text.assemble((plain(scenario_name(row)), "bold"), "  ", plain(row_task(row)))
    if mark_it:
        line.append(f"  {row.outcome or row.verdict}", "red")
    yield Padding(line, (0, 0, 0, 4))
    yield Padding(Text(plain(row.reason)), (0, 0, 0, 6))


def _facts() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    return table


def _claims(report: Report, symbols: dict[Verdict, str]) -> Iterator[RenderableType]:
    """Those that no violated row has told already."""
    told = {result.claim for result in report.results if is_open(result)}
    broken = [c for c in report.claims if c.verdict is not Verdict.HELD and c.setting not in told]
    if broken:
        yield _title(f"Claims that do not hold ({len(broken)})", STYLES[Verdict.VIOLATED])
    for claim in broken:
        yield from _claim(claim, symbols)


def _claim(claim: Claim, symbols: dict[Verdict, str]) -> Iterator[RenderableType]:
    head = Text.assemble((symbols[claim.verdict], STYLES[claim.verdict]), " ", (plain(claim.setting), "bold"))
    if claim.place:
        head.append(f"  {plain(claim.place)}", "cyan")
    yield Padding(head, (1, 0, 0, 2))
    facts = _facts()
    for name, value in (("promise", claim.promise), ("observed", claim.observed), ("remedy", claim.remedy)):
        if value:
            facts.add_row(name, Text(plain(value), "green" if name == "remedy" else ""))
    yield Padding(facts, (0, 0, 0, 4))


def _unknown(report: Report, symbols: dict[Verdict, str]) -> Iterator[RenderableType]:
    """By reason: one cause, such as a broker that went away, often leaves many rows unknown."""
    reasons: dict[str, list[Result]] = {}
    for row in report.results:
        if row.verdict is Verdict.UNKNOWN:
            reasons.setdefault(plain(row.reason), []).append(row)
    if not reasons:
        return
    yield _title(f"Unknown ({sum(map(len, reasons.values()))})", STYLES[Verdict.UNKNOWN])
    for reason, rows in reasons.items():
        head = Text.assemble(
            (symbols[Verdict.UNKNOWN], STYLES[Verdict.UNKNOWN]), f" {reason or 'no reason was recorded'}"
        )
        yield Padding(head, (0, 0, 0, 2))
        for row in rows[:ROWS_SHOWN]:
            yield Padding(Text(f"{plain(scenario_name(row))}  {plain(row_task(row))}", "bold"), (0, 0, 0, 4))
        if len(rows) > ROWS_SHOWN:
            yield Padding(Text(f"and {len(rows) - ROWS_SHOWN} more rows"), (0, 0, 0, 4))


def _known(report: Report) -> Iterator[RenderableType]:
    rows = [result for result in report.results if result.known]
    if rows:
        yield _title(f"Known violations ({len(rows)}), which do not turn the exit code", "bold magenta")
    for row in rows:
        line = Text.assemble(mark(row, ascii_only=True), f"  {plain(scenario_name(row))}  {plain(row_task(row))}")
        yield Padding(line, (0, 0, 0, 2))
        yield Padding(Text(plain(row.known)), (0, 0, 0, 6))
    yield from _listed("Known findings that are of no use any more", report.known_not_seen)


def _listed(title: str, lines: Sequence[str]) -> Iterator[RenderableType]:
    if lines:
        yield _title(title)
    for line in lines:
        yield Padding(Text(plain(line)), (0, 0, 0, 2))


def _ending(report: Report, folder: Path | None) -> Iterator[RenderableType]:
    """Last, where the eye is when the scrolling stops: what it is worth, how to go on, the verdict again."""
    facts = _facts()
    facts.add_row("evidence", Text(evidence(report)))
    held = sum(claim.verdict is Verdict.HELD for claim in report.claims)
    if report.claims:
        facts.add_row("claims", Text(f"{held} of {len(report.claims)} held"))
    if folder:
        facts.add_row("recorded in", Text(plain(str(folder))))
    for number, command in enumerate(replay(report, folder)):
        facts.add_row("next" if number == 0 else "", Text(plain(command), "cyan"))
    yield Text("")
    yield facts
    line = Text(str(report.verdict).upper(), STYLES[report.verdict])
    yield line.append(f", exit code {report.exit_code}: {EXIT_WORDS[report.exit_code]}", "not bold default")
