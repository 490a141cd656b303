"""A small summary in GitHub-flavoured Markdown, for job summaries and pull requests: `report.md` in the run folder."""

import re
from collections import Counter
from pathlib import Path

from assay.report import Report
from assay.reports.words import (
    EXIT_WORDS,
    GRACE_PERIODS,
    broken_claims,
    cell,
    evidence,
    grace_periods,
    is_open,
    plain,
    replay,
    scenario_name,
    stack,
    tally,
)
from assay.verdict import Result, Verdict

SIGNS = {Verdict.HELD: "✅", Verdict.VIOLATED: "❌", Verdict.UNKNOWN: "❓"}


def render(report: Report, folder: Path | None = None) -> str:
    """Verdict first, then what broke, what is unknown or known, the counts, the profiles."""
    parts = [
        f"## {SIGNS[report.verdict]} Assay: {report.verdict}",
        f"{_text(tally(report))}. {_text(evidence(report))}.",
    ]
    parts += _rows("Violated", [r for r in report.results if is_open(r)])
    parts += _claims(report)
    parts += _rows("Unknown", [r for r in report.results if r.verdict is Verdict.UNKNOWN])
    parts += _rows("Known violations", [r for r in report.results if r.known], known=True)
    parts += _counts(report)
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
    return "\n\n".join(parts) + "\n"


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


def _claims(report: Report) -> list[str]:
    broken = [claim for claim in broken_claims(report) if claim.verdict is Verdict.VIOLATED]
    if not broken:
        return []
    lines = ["| setting | promises | observed | place | remedy |", "| --- | --- | --- | --- | --- |"]
    for claim in broken:
        texts = (claim.promise, claim.observed, claim.place, claim.remedy)
        lines.append(f"| {SIGNS[claim.verdict]} {_code(claim.setting)} | " + " | ".join(map(_text, texts)) + " |")
    return [f"### Claims that do not hold ({len(broken)})", "\n".join(lines)]


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
    return [f"<details><summary>{title} ({len(lines)})</summary>", bullets, "</details>"]


def _text(text: str) -> str:
    """One line that no table, tag or emphasis can be made of."""
    escaped = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_|\[\]~@#])", r"\\\1", escaped)


def _code(text: str) -> str:
    shown = plain(text).replace("`", "'").replace("|", "\\|")
    return f"`{shown}`" if shown else ""
