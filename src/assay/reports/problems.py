"""What is wrong, each thing at its line of the sources: what annotations, SARIF and code quality are made of. Pure."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec

from assay.audit.finding import Finding, Kind
from assay.audit.promises import PROMISES
from assay.audit.rule import registry as rules
from assay.audit.told import Audit
from assay.compare.comparison import UNPROVED, WORSE, Comparison
from assay.counted import counted, listed
from assay.gating.told import Part
from assay.report import CANARY_LOST, Claim, Report
from assay.reports import causes
from assay.reports.checkout import Checkout
from assay.reports.drifts import TITLES, lines, tasks
from assay.reports.words import broken_claims, plain, scenario_name
from assay.verdict import Result, Verdict

CHANGES_SHOWN = 3
NOT_JUDGED = "not-judged"
GATE = "gate/"
#: rules that tell what is behind a part of a gate
TOLD_BY = {
    "audit": ("audit/",),
    "suites": ("claim/", "scenario/", NOT_JUDGED),
    "baseline": ("baseline/",),
}
NO_CLAIM = "A scenario that no setting makes a promise about did not hold."


class Level(StrEnum):
    """Worst first, in SARIF's words."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """`rule` and `about` are the same for all problems of a kind. `path` is from the repository's root.

    `fingerprint` is of the rule, the file and what it is about, not of the line: it stays when lines move.
    """

    rule: str
    about: str
    level: Level
    title: str
    text: str
    remedy: str = ""
    path: str = ""
    line: int = 1
    known: str = ""  # the team's reason: it does not count
    fingerprint: str = ""


def problems(
    report: Report | None,
    audit: Audit | None,
    checkout: Checkout,
    comparison: Comparison | None = None,
    parts: Sequence[Part] = (),
) -> list[Problem]:
    """The worst first, those that the team knows last. What is unknown is a warning: it is never left out.

    Each has a path: servers refuse a whole file for one that has none. `parts` are those of a gate.
    """
    found: list[Problem] = []
    where = _Where(checkout, _usual_place(report, audit), _module(report, audit, checkout))
    if report:
        found += _of_rows(report, where)
        found += _of_claims(report, audit.findings if audit else [], where)
        found += _unjudged(report, where)
        found += [] if parts else _of_canary(report, where)
    if audit:
        found += [_of_finding(each, audit.strict, where) for each in audit.findings]
    if comparison:
        found += _of_drifts(comparison, where)
    found += _of_parts(parts, found, where)
    order = list(Level)
    found.sort(key=lambda each: (bool(each.known), order.index(each.level)))
    return list(_told_apart(found))


class _Where(NamedTuple):
    """`usual` is a place for what has none, `module` a file for where that is not in the repository either."""

    checkout: Checkout
    usual: str
    module: str

    def at(self, *places: str) -> tuple[str, int]:
        """Path and line of the first of these places that is in the repository."""
        for place in (*places, self.usual, self.checkout.config):
            path, line = self.checkout.locate(place)
            if path:
                return path, line
        return self.checkout.locate(self.module)[0] or self.module, 1


def counting(found: Sequence[Problem]) -> list[Problem]:
    """Without what the team knows."""
    return [each for each in found if not each.known]


def _of_rows(report: Report, where: _Where) -> Iterator[Problem]:
    """One for each claim at each of its places, known rows apart; a scenario without a claim is by itself."""
    groups: dict[tuple[str, str, str], list[Result]] = {}
    for row in report.results:
        if row.verdict is Verdict.VIOLATED:
            groups.setdefault((row.claim or scenario_name(row), row.place, row.known), []).append(row)
    for (title, place, known), rows in groups.items():
        worst = causes.simplest(rows)
        key = worst.claim.partition("=")[0]
        path, line = where.at(place)
        yield Problem(
            rule=f"claim/{key}" if key else f"scenario/{title}",
            about=PROMISES.get(key) or worst.promise or NO_CLAIM,
            level=Level.ERROR,
            title=f"{title} does not hold",
            text=plain(
                f"{scenario_name(worst)}: {worst.reason}"
                + f" ({counted(len(rows), 'violated row')}; {causes.tasks(rows, report)})"
            ),
            remedy=plain(worst.remedy),
            path=path,
            line=line,
            known=plain(known),
        )


def _of_claims(report: Report, found: Sequence[Finding], where: _Where) -> Iterator[Problem]:
    """Claims that no run was needed for, unless an audit tells of them."""
    told = {row.claim for row in report.results if row.verdict is Verdict.VIOLATED}
    for claim in report.claims:
        dead = claim.verdict is Verdict.VIOLATED and claim.setting not in told
        if not dead or (claim not in broken_claims(report) and not claim.known):
            continue
        if any(_is_about(each, claim) for each in found):
            continue
        key = claim.setting.partition("=")[0]
        path, line = where.at(claim.place)
        yield Problem(
            rule=f"claim/{key}",
            about=claim.promise or "A setting that does nothing here.",
            level=Level.ERROR,
            title=f"{claim.setting} does not hold",
            text=plain(claim.observed),
            remedy=plain(claim.remedy),
            path=path,
            line=line,
            known=plain(claim.known),
        )


def _is_about(finding: Finding, claim: Claim) -> bool:
    same = claim.setting == finding.title or claim.setting.partition("=")[0] in finding.settings
    return same and finding.place == claim.place


def _unjudged(report: Report, where: _Where) -> Iterator[Problem]:
    """By reason: one cause often leaves many rows unknown."""
    reasons: dict[str, list[Result]] = {}
    for row in report.results:
        if row.verdict is Verdict.UNKNOWN:
            reasons.setdefault(row.reason, []).append(row)
    for reason, rows in reasons.items():
        path, line = where.at(next((row.place for row in rows if row.place), ""))
        yield Problem(
            rule=NOT_JUDGED,
            about="A scenario could not be judged, and unknown is never green.",
            level=Level.WARNING,
            title=f"{scenario_name(rows[0])} is unknown",
            text=plain(f"{reason} ({counted(len(rows), 'row')}; {causes.tasks(rows, report)})"),
            path=path,
            line=line,
        )


def _of_canary(report: Report, where: _Where) -> Iterator[Problem]:
    """Of a run by itself: a gate has a part for it."""
    if report.canary in ("", CANARY_LOST):
        return
    path, line = where.at(where.checkout.config)
    yield Problem(
        rule="canary",
        about="The loss that a run makes itself must be seen, or no green counts.",
        level=Level.WARNING,
        title="the canary was not seen to be lost",
        text=plain(report.canary),
        path=path,
        line=line,
    )


def _of_finding(finding: Finding, strict: bool, where: _Where) -> Problem:
    path, line = where.at(finding.place)
    return Problem(
        rule=f"audit/{finding.rule}",
        about=rules().get(finding.rule, "").partition(": ")[2] or finding.rule,
        level=Level.NOTE if finding.kind is Kind.RISK and not strict else Level.ERROR,
        title=plain(f"{finding.title}: {finding.kind}"),
        text=plain(finding.observed),
        remedy=plain(finding.remedy),
        path=path,
        line=line,
        known=plain(finding.accepted),
    )


def _of_drifts(comparison: Comparison, where: _Where) -> Iterator[Problem]:
    """What got worse since the baseline, and what is not proved any more."""
    everybody = tasks(comparison)
    for drift in comparison.drifts:
        if drift.kind not in WORSE | UNPROVED:
            continue
        path, line = where.at(drift.place)
        told = [f"{each.whose}: {each.became}" for each in lines(drift, everybody)]
        yield Problem(
            rule=f"baseline/{drift.kind.name.lower().replace('_', '-')}",
            about=f"{TITLES[drift.kind]}, beside the baseline.",
            level=Level.ERROR if drift.kind in WORSE else Level.WARNING,
            title=plain(f"{drift.kind}: {drift.cause}"),
            text=plain(listed(told, CHANGES_SHOWN)),
            path=path,
            line=line,
        )


def _of_parts(parts: Sequence[Part], found: Sequence[Problem], where: _Where) -> Iterator[Problem]:
    """Parts that are not green and that no other problem tells of: budgets, a canary, a baseline of something else."""
    for part in parts:
        rules_ = TOLD_BY.get(part.name, ())
        if part.verdict is Verdict.HELD or any(each.rule.startswith(rules_) for each in counting(found)):
            continue
        path, line = where.at(where.checkout.config)
        yield Problem(
            rule=GATE + part.name.replace(" ", "-"),
            about="What a gate demands besides that every promise holds.",
            level=Level.ERROR if part.verdict is Verdict.VIOLATED else Level.WARNING,
            title=f"gate: {part.name} is {part.verdict}",
            text=plain("; ".join([part.why, *part.details])),
            path=path,
            line=line,
        )


def _module(report: Report | None, audit: Audit | None, checkout: Checkout) -> str:
    """The file of the app's module, by its name."""
    name = str(report.app.get("module", "")) if report else audit.app if audit else ""
    path = name.partition(":")[0].replace(".", "/") or "app"
    return f"{path}/__init__.py" if (checkout.workdir / path).is_dir() else f"{path}.py"


def _usual_place(report: Report | None, audit: Audit | None) -> str:
    """The file that most settings are given in: where to look for what has no place of its own."""
    places = [claim.place for claim in report.claims] if report else []
    places += [row.place for row in report.results] if report else []
    places += [entry.place for entry in audit.entries] if audit else []
    places += [str(task.get("place", "")) for task in report.app.get("tasks", {}).values()] if report else []
    files = Counter(place.rpartition(":")[0] for place in places if ":" in place)
    return f"{files.most_common(1)[0][0]}:1" if files else ""


def _told_apart(found: Sequence[Problem]) -> Iterator[Problem]:
    """With fingerprints that no two share: the second of the same has a number."""
    seen: Counter[str] = Counter()
    for each in found:
        about = each.title.partition("=")[0]
        digest = hashlib.sha256("\0".join((each.rule, each.path, about)).encode()).hexdigest()[:32]
        seen[digest] += 1
        yield msgspec.structs.replace(each, fingerprint=f"{digest}:{seen[digest]}")
