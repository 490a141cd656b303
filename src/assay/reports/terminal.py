"""The report for a person at a terminal: verdict, what broke and its remedy, the unknown, the matrix, the run."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from assay.report import Report
from assay.reports.commands import replay
from assay.reports.contracts import TITLE as CONTRACTS
from assay.reports.contracts import contracts
from assay.reports.findings import facts, findings, known, title
from assay.reports.matrix import ASCII_SYMBOLS, STYLES, SYMBOLS, legend, tables
from assay.reports.printed import printed
from assay.reports.words import (
    EXIT_WORDS,
    GRACE_PERIODS,
    claims_held,
    evidence,
    grace_periods,
    meanings,
    plain,
    stack,
    tally,
)


def render(
    report: Report, folder: Path | None, *, width: int, color: bool, ascii_only: bool = False, program: str = "assay"
) -> str:
    """The whole report as text of `width` columns, with ANSI codes only where `color` is asked for.

    `program` is how the command can be typed here. Commands to copy are the only lines that may be longer: a terminal
    wraps them so that they can be copied whole.
    """
    parts = [*_parts(report, folder, width, ascii_only)]
    for command in replay(report, folder, program):
        parts.append(Text.assemble(("next         ", "dim"), (plain(command), "cyan"), no_wrap=True, overflow="ignore"))
    return printed([*parts, _verdict(report)], width=width, color=color)


def _parts(report: Report, folder: Path | None, width: int, ascii_only: bool) -> Iterator[RenderableType]:
    yield from _headline(report, ascii_only)
    yield from findings(report, ascii_only)
    if report.results:
        yield title("Outcomes")
        yield Padding(legend(report.results, width - 2, ascii_only), (0, 0, 0, 2))
        for suite, table in tables(report.results, width - 2, ascii_only):
            yield title(suite)
            yield Padding(table, (0, 0, 0, 2))
        yield from _listed(CONTRACTS, contracts(report))
        yield from _listed("Read it so", meanings(report))
        yield from _listed(GRACE_PERIODS, grace_periods(report))
    yield from known(report, ascii_only)
    yield from _listed("Known findings that are of no use any more", report.known_not_seen)
    yield from _listed("Changed for the run", report.redirected)
    yield from _listed("Scaled for the run (times above are in production units)", report.scaled)
    yield Text("")
    yield _worth(report, folder)


def _headline(report: Report, ascii_only: bool) -> Iterator[RenderableType]:
    symbol = (ASCII_SYMBOLS if ascii_only else SYMBOLS)[report.verdict]
    app = plain(str(report.app.get("name") or report.app.get("module") or "the app"))
    verdict = (f"{symbol} {str(report.verdict).upper()}", STYLES[report.verdict])
    yield Text.assemble(verdict, f"  {app}: {tally(report)}")
    yield Padding(Text(f"{plain(stack(report))}, {report.duration_s:.0f} s", "dim"), (0, 0, 0, 2))


def _listed(heading: str, lines: Sequence[str]) -> Iterator[RenderableType]:
    if lines:
        yield title(heading)
    for line in lines:
        yield Padding(Text(plain(line)), (0, 0, 0, 2))


def _worth(report: Report, folder: Path | None) -> RenderableType:
    """Last, where the eye is when the scrolling stops: what the verdict is worth, and where it was recorded."""
    return facts(
        ("evidence", evidence(report)),
        ("claims", claims_held(report)),
        ("canary", plain(report.canary)),
        ("recorded in", str(folder or "")),
    )


def _verdict(report: Report) -> Text:
    line = Text(str(report.verdict).upper(), STYLES[report.verdict])
    return line.append(f", exit code {report.exit_code}: {EXIT_WORDS[report.exit_code]}", "not bold default")
