"""From what was found to the verdict of a gate: each of its parts, and why. Pure."""

from collections.abc import Iterator, Sequence

from assay.audit.finding import Kind
from assay.audit.told import Audit
from assay.compare.comparison import UNPROVED, WORSE, Comparison
from assay.counted import counted
from assay.gating.table import Demands
from assay.gating.told import Gated, Part
from assay.report import CANARY_LOST, Report, exit_code
from assay.reports import causes
from assay.reports.audit import tally as audit_tally
from assay.reports.drifts import lines, tasks
from assay.reports.drifts import tally as drift_tally
from assay.reports.words import evidence, scenario_name, tally
from assay.scenario import PREFORK
from assay.verdict import Verdict

SHOWN = 8  # of one part; the files in the run folder have all


def conclude(
    report: Report, audit: Audit | None, baseline: Part | None, demands: Demands, *, took_s: float, folder: str
) -> Gated:
    """`baseline` is what became of that, where there is one. `folder` is where all is recorded."""
    parts = [*_audit(audit, demands, folder), _suites(report, folder), *_canary(report, demands)]
    parts += [baseline] if baseline else []
    parts += _budget(report, demands, took_s)
    verdict = Verdict.worst(part.verdict for part in parts)
    unusable = verdict is not Verdict.VIOLATED and any(part.refused for part in parts)
    return Gated(
        verdict=verdict,
        exit_code=2 if unusable else exit_code(verdict),
        app=str(report.app.get("name") or report.app.get("module") or ""),
        parts=parts,
        duration_s=round(took_s, 3),
    )


def compared(comparison: Comparison, folder: str) -> Part:
    """What became of the baseline's guarantees."""
    verdict = {0: Verdict.HELD, 1: Verdict.VIOLATED, 3: Verdict.UNKNOWN}[comparison.exit_code]
    open_ = [drift for drift in comparison.drifts if drift.kind in WORSE | UNPROVED]
    told = [f"no green counts: {comparison.blind}"] if comparison.blind else []
    told += [
        f"{drift.kind}: {drift.cause}{_at(drift.place)}: {line.whose}: {line.became}"
        for drift in open_
        for line in lines(drift, tasks(comparison))[:1]
    ]
    return Part("baseline", verdict, drift_tally(comparison), shortened(told, f"{folder}/compare.json"))


def refused(why: str) -> Part:
    """For a baseline that this run cannot be compared with."""
    return Part("baseline", Verdict.UNKNOWN, why, refused=True)


def _audit(audit: Audit | None, demands: Demands, folder: str) -> Iterator[Part]:
    if audit is None or demands.audit == "off":
        return
    milder = demands.audit == "risk"
    found = [each for each in audit.findings if not each.accepted and (milder or each.kind is not Kind.RISK)]
    told = [
        f"{each.title}{_at(each.place)}: {each.kind} ({each.rule}): {each.observed}{_remedy(each.remedy)}"
        for each in found
    ]
    verdict = Verdict.VIOLATED if found else Verdict.HELD
    yield Part("audit", verdict, audit_tally(audit), shortened(told, f"{folder}/audit.json"))


def _suites(report: Report, folder: str) -> Part:
    told = [
        f"{cause.setting}{_at(cause.place)}: {cause.observed}{_remedy(cause.remedies[0].text)}"
        for cause in causes.causes(report)
    ]
    reasons: dict[str, list[str]] = {}
    for row in report.results:
        if row.verdict is Verdict.UNKNOWN:
            reasons.setdefault(row.reason, []).append(scenario_name(row))
    told += [f"unknown: {names[0]}{_more(names)}: {reason}" for reason, names in reasons.items()]
    why = f"{tally(report)}; {evidence(report)}"
    return Part("suites", _without_canary(report), why, shortened(told, f"{folder}/report.md"))


def _without_canary(report: Report) -> Verdict:
    """The run's verdict; a canary that was not lost made it unknown, and is a part of its own."""
    if report.canary in ("", CANARY_LOST) or report.verdict is not Verdict.UNKNOWN:
        return report.verdict
    return Verdict.worst(row.verdict for row in report.results if not row.known)


def _canary(report: Report, demands: Demands) -> Iterator[Part]:
    if report.canary == CANARY_LOST:
        yield Part("canary", Verdict.HELD, CANARY_LOST)
    elif report.canary:
        yield Part("canary", Verdict.UNKNOWN, f"{report.canary}; so no green counts")
    elif demands.canary != "off":
        why = f"there was none: {_why_no_canary(report)}. So nothing shows that a loss would have been seen"
        yield Part("canary", Verdict.UNKNOWN, f'{why}; where that will do, say canary = "off" in [gate]')


def _why_no_canary(report: Report) -> str:
    pool = report.environment.get("pool", "")
    if report.environment.get("bodies") == "live":
        return "no real body is broken on purpose"
    if pool and pool not in PREFORK:
        return f"it needs pool {PREFORK[0]}, and this one is {pool}"
    return "canary is false in the configuration, or its message was refused"


def _budget(report: Report, demands: Demands, took_s: float) -> Iterator[Part]:
    if demands.most_s is not None:
        verdict = Verdict.VIOLATED if took_s > demands.most_s else Verdict.HELD
        yield Part("time", verdict, f"{took_s:.0f} s, of {demands.most_s:g} s at most (most_s)")
    if demands.fewest_landed is not None:
        verdict = Verdict.VIOLATED if report.landed < demands.fewest_landed else Verdict.HELD
        landed = counted(report.landed, "landed fault")
        yield Part("landed faults", verdict, f"{landed}, of {demands.fewest_landed} at least (fewest_landed)")
    elif not report.landed:
        remedy = "choose scenarios that kill workers; where none is meant to, say fewest_landed = 0 in [gate]"
        yield Part("landed faults", Verdict.UNKNOWN, f"{evidence(report)}: {remedy}")


def shortened(lines: Sequence[str], whole: str) -> list[str]:
    """The first of them, and where the others are."""
    left = len(lines) - SHOWN
    return [*lines[:SHOWN], *([f"and {left} more: {whole}"] if left > 0 else [])]


def _at(place: str) -> str:
    return f" ({place})" if place else ""


def _remedy(text: str) -> str:
    return f". Remedy: {text}" if text else ""


def _more(names: Sequence[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""
