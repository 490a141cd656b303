"""A comparison with earlier runs, as the page shows it. Pure."""

from assay.compare.comparison import UNPROVED, WORSE, Comparison, Kind
from assay.page.shown import Change, Changes
from assay.reports.drifts import compared_with, lines, tally, tasks, timing
from assay.reports.words import plain

SHOWN = 60
REASON = 300  # characters of a row's story
SAID = {0: "✓ Nothing got worse", 1: "✗ Worse", 3: "? Not proved any more"}
TONES = {0: "held", 1: "violated", 3: "unknown"}


def changes(comparison: Comparison) -> Changes:
    """Drifts of guarantees first, the worst kind before the others; then times, settings and versions."""
    everybody, found = tasks(comparison), []
    for kind in Kind:
        for drift in comparison.of(kind):
            for line in lines(drift, everybody):
                found.append(
                    Change(
                        tone=_tone(kind),
                        kind=f"{_symbol(kind)} {kind}",
                        what=plain(line.whose),
                        before=plain(line.before),
                        after=plain(line.after),
                        cause=plain(drift.cause),
                        place=plain(drift.place),
                        rows=plain(line.rows),
                        why=plain(line.reason)[:REASON] if kind in WORSE | UNPROVED else "",
                    )
                )
    listed = [
        ("Times that differ", [timing(each) for each in comparison.timings]),
        ("Settings that differ", [each.placed for each in comparison.settings]),
        ("Versions that differ", [str(each) for each in comparison.environment]),
        ("Compared with", compared_with(comparison)),
    ]
    blind = f"; no green counts: {comparison.blind}" if comparison.blind else ""
    return Changes(
        tone=TONES[comparison.exit_code],
        said=f"{SAID[comparison.exit_code]}: {plain(tally(comparison) + blind)}",
        changes=found[:SHOWN],
        more=max(0, len(found) - SHOWN),
        lists=[(title, [plain(line) for line in said]) for title, said in listed if said],
    )


def _tone(kind: Kind) -> str:
    if kind in WORSE:
        return "violated"
    return "unknown" if kind in UNPROVED else "held" if kind is Kind.STRONGER else "known" if kind is Kind.KNOWN else ""


def _symbol(kind: Kind) -> str:
    return {"violated": "✗", "unknown": "?", "held": "✓", "known": "!"}.get(_tone(kind), "–")
