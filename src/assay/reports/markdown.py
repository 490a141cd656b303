"""A small summary in GitHub-flavoured Markdown, for job summaries and pull requests: `report.md` in the run folder."""

from collections import Counter
from pathlib import Path

from assay.report import Report
from assay.reports import causes
from assay.reports.commands import replay
from assay.reports.contracts import TITLE as CONTRACTS
from assay.reports.contracts import contracts
from assay.reports.escaped import code as _code
from assay.reports.escaped import text as _text
from assay.reports.words import (
    EXIT_WORDS,
    GRACE_PERIODS,
    cell,
    evidence,
    grace_periods,
    is_open,
    plain,
    scenario_name,
    stack,
    tally,
)
from assay.verdict import Result, Verdict

SIGNS = {Verdict.HELD: "✅", Verdict.VIOLATED: "❌", Verdict.UNKNOWN: "❓"}


def render(report: Report, folder: Path | None = None) -> str:
    """The whole report: verdict first, then what broke, what is unknown or known, the counts, the profiles."""
    return "\n\n".join(sections(report, folder)) + "\n"


def sections(report: Report, folder: Path | None = None) -> list[str]:
    """The same in parts, the worst first: each can be left out by itself."""
    parts = [
        f"## {SIGNS[report.verdict]} Assay: {report.verdict}",
        f"{_text(tally(report))}. {_text(evidence(report))}.",
    ]
    parts += _causes(report)
    parts += _joined(_rows("Unknown", [r for r in report.results if r.verdict is Verdict.UNKNOWN]))
    parts += _joined(_rows("Known violations", [r for r in report.results if r.known], known=True))
    parts += _folded(_rows("Every violated row", [r for r in report.results if is_open(r)]))
    parts += _counts(report)
    parts += _listed(CONTRACTS, contracts(report))
    parts += _listed(GRACE_PERIODS, grace_periods(report))
    parts += _listed("Tasks of one profile, tested once for all of them", _profiles(report))
    parts += _listed("Changed for the run", report.redirected)
    parts += _listed("Durations that were scaled down", report.scaled)
    parts += _listed("Known findings that are of no use any more", report.known_not_seen)
    commands = replay(report, folder)
    if commands:
        parts.append("```sh\n" + "\n".join(plain(command) for command in commands) + "\n```")
    app = _text(str(report.app.get("name") or report.app.get("module") or ""))
    parts.append(f"{app}: {_text(stack(report))}. Exit code {report.exit_code}: {EXIT_WORDS[report.exit_code]}.")
    return parts


def _rows(title: str, rows: list[Result], known: bool = False) -> list[str]:
    if not rows:
        return []
    lines = ["| scenario | task | outcome | why | setting | remedy |", "| --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        setting = _code(row.claim) + (f"<br>{_text(row.place)}" if row.place else "")
        last = row.known if known else row.remedy
        cells = (_code(scenario_name(row)), _code(row.task), _text(cell(row)), _text(row.reason), setting, _text(last))
        lines.append("| " + " | ".join(cells) + " |")
    return [f"### {title} ({len(rows)})", "\n".join(lines)]


def _causes(report: Report) -> list[str]:
    """A block for each claim that does not hold, however many rows it breaks."""
    found = causes.causes(report)
    if not found:
        return []
    parts = [f"### {_text(causes.heading(report, found))}"]
    for cause in found:
        place = f" ({_text(cause.place)})" if cause.place else ""
        lines = [f"{SIGNS[Verdict.VIOLATED]} **{_code(cause.setting)}**{place}", ""]
        parts.append(
            "\n".join(lines + [f"- {name}: {_text(value)}" for name, value in causes.facts(cause, report, whole=True)])
        )
    return parts


def _folded(section: list[str]) -> list[str]:
    """A heading and its table, out of the way until it is asked for."""
    if not section:
        return []
    heading, table = section
    return _joined([f"<details><summary>{heading.removeprefix('### ')}</summary>", table, "</details>"])


def _counts(report: Report) -> list[str]:
    counts: dict[str, Counter[str]] = {}
    for row in report.results:
        counts.setdefault(row.suite, Counter())["known" if row.known else str(row.verdict)] += 1
    if not counts:
        return []
    lines = ["| suite | violated | unknown | held | known |", "| --- | ---: | ---: | ---: | ---: |"]
    for suite, count in counts.items():
        numbers = " | ".join(str(count[name]) for name in ("violated", "unknown", "held", "known"))
        lines.append(f"| {_text(suite)} | {numbers} |")
    return ["\n".join(lines)]


def _profiles(report: Report) -> list[str]:
    members = {row.task: row.members for row in report.results if len(row.members) > 1}
    return [f"{task}: {', '.join(names)}" for task, names in members.items()]


def _listed(title: str, lines: list[str]) -> list[str]:
    if not lines:
        return []
    bullets = "\n".join(f"- {_text(line)}" for line in lines)
    return _joined([f"<details><summary>{title} ({len(lines)})</summary>", bullets, "</details>"])


def _joined(parts: list[str]) -> list[str]:
    return ["\n\n".join(parts)] if parts else []
