"""A comparison in GitHub-flavoured Markdown, for a pull request or a job summary."""

from assay.compare.comparison import UNPROVED, WORSE, Comparison, Drift, Kind
from assay.reports.drifts import EXIT_WORDS, HEADS, compared_with, heading, lines, tally, tasks, timing, unfit
from assay.reports.escaped import code, text

SIGNS = {0: "✅", 1: "❌", 3: "❓"}
OPEN = WORSE | UNPROVED  # shown at once; all else is folded


def render(comparison: Comparison) -> str:
    """Verdict first, then what got worse by cause, what is not proved any more, and folded all else."""
    parts = [
        f"## {SIGNS[comparison.exit_code]} Assay: {HEADS[comparison.exit_code].lower()}",
        f"{text(comparison.app)}: {text(tally(comparison))}.",
    ]
    if comparison.blind:
        parts.append(f"No green counts: {text(comparison.blind)}.")
    if why := unfit(comparison):
        parts.append(f"{text(why[0].upper() + why[1:])}.")
    for kind in Kind:
        if drifts := comparison.of(kind):
            shown = [_drift(drift, tasks(comparison)) for drift in drifts]
            parts += [f"### {heading(kind, drifts)}", *shown] if kind in OPEN else _folded(heading(kind, drifts), shown)
    parts += _listed("Times", [text(timing(each)) for each in comparison.timings])
    settings = [code(str(each)) + (f" ({text(each.place)})" if each.place else "") for each in comparison.settings]
    parts += _listed("Settings that differ", settings)
    parts += _listed("Versions that differ", [text(str(each)) for each in comparison.environment])
    parts += _listed("Compared with", [text(note) for note in compared_with(comparison)])
    parts.append(f"Exit code {comparison.exit_code}: {EXIT_WORDS[comparison.exit_code]}.")
    return "\n\n".join(parts) + "\n"


def _drift(drift: Drift, everybody: int) -> str:
    place = f" ({text(drift.place)})" if drift.place else ""
    told = [f"**{code(drift.cause)}**{place}", ""]
    for line in lines(drift, everybody):
        whose = f"{text(line.whose)}: " if line.whose else ""
        rows = f" ({text(line.rows)})" if line.rows else ""
        told.append(f"- {whose}**{text(line.became)}**{rows}" + (f"<br>{text(line.reason)}" if line.reason else ""))
    return "\n".join(told)


def _listed(title: str, said: list[str]) -> list[str]:
    return _folded(f"{title} ({len(said)})", ["\n".join(f"- {each}" for each in said)]) if said else []


def _folded(title: str, parts: list[str]) -> list[str]:
    return [f"<details><summary>{title}</summary>", *parts, "</details>"]
