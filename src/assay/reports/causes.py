"""What is behind violated rows: one line of the settings usually breaks many, and is one thing to mend. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec

from assay.counted import counted, listed
from assay.fault import FAULTLESS
from assay.report import Claim, Report
from assay.reports.words import broken_claims, is_open, plain, row_task, scenario_name, without_claim
from assay.verdict import BESIDE, Outcome, Result, Verdict

PLACES_SHOWN = 3
REMEDIES_SHOWN = 4
TASKS_SHOWN = 3
NONE_KNOWN = "none is known"
SCENARIOS_SHOWN = 3  # of each suite
OBSERVED = 400  # characters, about, of one row's story; report.md has them all


class Remedy(msgspec.Struct, frozen=True):
    """What would mend some of a claim's rows; `text` is empty where nothing is known to."""

    text: str
    promise: str  # that these rows are about
    rows: list[Result] = []


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """A claim that does not hold, with the rows that say so; none where no run was needed to tell."""

    setting: str
    place: str
    observed: str
    remedies: list[Remedy]  # the first one is of the example
    rows: list[Result] = []
    example: Result | None = None  # the row that tells it most simply


def causes(report: Report) -> list[Cause]:
    """What breaks rows comes first: of the most important tasks, the worst outcome; known violations are no part."""
    groups: dict[str, list[Result]] = {}
    for row in filter(is_open, report.results):
        groups.setdefault(row.claim or f"{scenario_name(row)}, without a claim", []).append(row)
    behind = [_behind(setting, rows) for setting, rows in groups.items()]
    importance = {name: each.importance for each in report.contracts for name in (each.task, *each.members)}

    def important(names: Iterable[str]) -> int:
        return max((importance.get(name, 0) for name in names), default=0)

    behind.sort(key=lambda cause: (-important(row.task for row in cause.rows), -_rank(cause.rows[0]), -len(cause.rows)))
    claims = [claim for claim in broken_claims(report) if claim.verdict is Verdict.VIOLATED]
    claims.sort(key=lambda claim: -important(claim.tasks))
    return behind + [_told(claim) for claim in claims if claim.setting not in groups]


def heading(report: Report, found: Sequence[Cause]) -> str:
    """ "Claims that do not hold (5), behind 37 violated rows"."""
    rows = sum(len(cause.rows) for cause in found)
    behind = f", behind {counted(rows, 'violated row')}" if rows else ""
    others = len(without_claim(report))
    apart = f"scenarios without a claim that do not hold ({others})" if others else ""
    claims = f"Claims that do not hold ({len(found) - others})" if len(found) > others else ""
    said = f"{claims}, {apart}" if claims and apart else claims or apart.capitalize()
    return said + behind


def facts(cause: Cause, report: Report, *, whole: bool = False) -> list[tuple[str, str]]:
    """Names and what they say, in the order in which somebody who must mend it wants to know them; `whole`: uncut."""
    most = len(cause.remedies) if whole else REMEDIES_SHOWN
    told, promise = [], ""
    for remedy in cause.remedies[:most]:
        told += [("promise", remedy.promise)] * (remedy.promise != promise)
        told.append(("remedy", remedy.text or NONE_KNOWN * (len(cause.remedies) > 1)))
        if len(cause.remedies) > 1:
            told.append(("for", f"{len(remedy.rows)} of {len(cause.rows)} rows; {_scenarios(remedy.rows)}"))
        promise = remedy.promise
    if len(cause.remedies) > most:
        told.append(("remedy", f"and {len(cause.remedies) - most} more, in report.md"))
    told.append(("observed", cause.observed if whole else _shortened(cause.observed)))
    if cause.rows:
        told.append(("rows", f"{_counted(cause.rows)}; {tasks(cause.rows, report)}"))
        if not 1 < len(cause.remedies) <= most:  # or each of them is told beside its remedy
            told.append(("scenarios", _scenarios(cause.rows)))
        told.append(("faults", _faults(cause.rows)))
    return [(name, plain(value)) for name, value in told if value]


def _behind(setting: str, rows: list[Result]) -> Cause:
    rows = sorted(rows, key=lambda row: -_rank(row))
    example = simplest(rows)
    places = list(dict.fromkeys(row.place for row in rows if row.place))
    return Cause(
        setting=setting,
        place=listed(places, PLACES_SHOWN),
        observed=f"{scenario_name(example)}: {example.reason}",
        remedies=_remedies([example, *(row for row in rows if row is not example)]),
        rows=rows,
        example=example,
    )


def simplest(rows: Sequence[Result]) -> Result:
    """The row that tells it most simply: of the worst outcome, with the fewest invocations."""
    worst = max(map(_rank, rows))
    return min((row for row in rows if _rank(row) == worst), key=_invocations)


def _remedies(rows: Sequence[Result]) -> list[Remedy]:
    """Each with the rows that it is for, and the promise of the first of them."""
    groups: dict[str, list[Result]] = {}
    for row in rows:
        groups.setdefault(row.remedy, []).append(row)
    return [Remedy(text, some[0].promise, some) for text, some in groups.items()]


def _told(claim: Claim) -> Cause:
    return Cause(
        setting=claim.setting,
        place=claim.place,
        observed=claim.observed,
        remedies=[Remedy(claim.remedy, claim.promise)],
    )


def _rank(row: Result) -> int:
    return (row.outcome or Outcome.OK).rank


def _invocations(row: Result) -> int:
    """How many were judged in a row: its story is the plainest with one alone."""
    return sum(int(judgement.figures.get("attempted", 0)) for judgement in row.judgements)


def _counted(rows: Sequence[Result]) -> str:
    """ "31: 24 lost, 5 failed, 2 violated"."""
    words = Counter(str(row.outcome) if row.outcome not in (None, Outcome.OK) else "violated" for row in rows)
    return f"{len(rows)}: " + ", ".join(f"{number} {word}" for word, number in words.items())


def tasks(rows: Sequence[Result], report: Report) -> str:
    """ "every task", or their names."""
    everybody = {result.task for result in report.results if result.task != "*"}
    names = list(dict.fromkeys(row_task(row) for row in rows if row.task != "*"))
    if not names or (len(everybody) > 1 and {row.task for row in rows} >= everybody):
        return "every task"
    more = len(names) - TASKS_SHOWN
    return ", ".join(names[:TASKS_SHOWN]) + (f" and {more} more tasks" if more > 0 else "")


def _scenarios(rows: Sequence[Result]) -> str:
    """ "acks_late: bystanders, child_killed_enter, child_killed_middle and 4 more; routing: redelivery_stays"."""
    parts = []
    for suite, group in groupby(sorted(rows, key=lambda row: row.suite), key=lambda row: row.suite):
        names = list(dict.fromkeys(row.scenario for row in group))
        parts.append(f"{suite}: {listed(names, SCENARIOS_SHOWN)}")
    return "; ".join(parts)


def _faults(rows: Sequence[Result]) -> str:
    """ "SIGKILL group, SIGKILL main; not_struck: SIGKILL group, which struck their workers"."""
    meant = [row.fault for row in rows if row.fault not in FAULTLESS]
    told = [", ".join(dict.fromkeys(meant))] if meant else []
    for row in rows:
        others = [fault for judgement in row.judgements for fault in judgement.figures.get(BESIDE, ())]
        if row.fault in FAULTLESS and others:
            told.append(f"{row.scenario}: {', '.join(dict.fromkeys(others))}, which struck their workers")
        elif row.fault in FAULTLESS and row.fault != FAULTLESS[0]:
            told.append(f"{row.scenario}: {row.fault}")
    return "; ".join(dict.fromkeys(told))


def _shortened(text: str) -> str:
    """Whole parts of it."""
    parts = plain(text).split("; ")
    kept = parts[:1]
    for part in parts[1:]:
        if len("; ".join([*kept, part])) > OBSERVED:
            return "; ".join(kept) + "; and more, in report.md"
        kept.append(part)
    return "; ".join(kept)
