"""What a comparison found, in words that the terminal's report and the one in Markdown share."""

from collections.abc import Sequence

import msgspec

from assay.compare.comparison import UNPROVED, WORSE, Change, Comparison, Drift, Kind, Timing
from assay.counted import counted, listed
from assay.reports.words import seconds

TITLES = {
    Kind.VIOLATED: "Newly violated",
    Kind.WEAKER: "Weaker than before",
    Kind.GONE: "Tasks that are gone",
    Kind.WITHDRAWN: "Not promised any more as it was",
    Kind.LATER: "Recovers later",
    Kind.UNKNOWN: "Held before, unknown now",
    Kind.NOT_RUN: "Held before, not run now",
    Kind.UNDECIDED: "Not held before, and not judged now",
    Kind.KNOWN: "Known, which do not turn the exit code",
    Kind.FLAKY: "Flaky: not the same in all runs of the base",
    Kind.CHANGED: "Otherwise than before, and no weaker",
    Kind.STRONGER: "Newly held, or stronger",
    Kind.NEW: "Not in the base",
}
EXIT_WORDS = {
    0: "no guarantee got worse",
    1: "a guarantee got worse",
    3: "what was held is not proved any more, and unknown is never green",
}
HEADS = {0: "NO WORSE", 1: "WORSE", 3: "UNKNOWN"}
REASON = 300  # characters of a row's story
BRIEF = (Kind.NEW, Kind.STRONGER, Kind.CHANGED, Kind.FLAKY)  # told without the story of a row
SHOWN = 3  # tasks, faults, scenarios of a suite


class Line(msgspec.Struct, frozen=True):
    """Changes of a drift that read alike: whose, under which fault, from what to what, and the rows."""

    whose: str  # "`shop.charge`, SIGKILL child", without the quotes
    before: str
    after: str
    rows: str
    reason: str

    @property
    def became(self) -> str:
        return f"{self.before} -> {self.after}" if self.before else self.after


def unfit(comparison: Comparison) -> str:
    """Why an environment whose packages do not fit together proves nothing; "" where they do."""
    if not comparison.conflicts:
        return ""
    return (
        f"packages of the current run do not fit together, so what held there is not proved: "
        f"{'; '.join(comparison.conflicts)}. Name those too, in versions that fit"
    )


def lines(drift: Drift, everybody: int) -> list[Line]:
    """`everybody` is how many tasks the app has."""
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in drift.changes:
        groups.setdefault((change.before, change.after), []).append(change)
    return [
        Line(_whose(some, everybody), before, after, _rows(some), _story(drift.kind, some[0].reason))
        for (before, after), some in sorted(groups.items(), key=lambda each: -_number(each[1]))
    ]


def heading(kind: Kind, drifts: Sequence[Drift]) -> str:
    """ "Newly violated (24 rows)"; tasks and settings have none."""
    return f"{TITLES[kind]} ({counted(sum(_number(drift.changes) for drift in drifts), 'row')})"


def tally(comparison: Comparison) -> str:
    """ "12 rows got worse (newly violated 10, weaker 2), 3 are not proved any more; 70 of 85 as they were"."""
    counts = {kind: sum(_number(drift.changes) for drift in comparison.of(kind)) for kind in Kind}
    parts = []
    for kinds, said in ((WORSE, "got worse"), (UNPROVED, "not proved any more"), ({Kind.STRONGER}, "got better")):
        named = [f"{kind} {counts[kind]}" for kind in Kind if kind in kinds and counts[kind]]
        if named:
            total = counted(sum(counts[kind] for kind in kinds), "row")
            parts.append(f"{total} {said}" + (f" ({', '.join(named)})" if len(kinds) > 1 else ""))
    same = f"{comparison.same} of {counted(comparison.rows, 'row')} as before"
    return "; ".join([", ".join(parts), same]) if parts else same


def compared_with(comparison: Comparison) -> list[str]:
    """Which runs, and what that is worth."""
    used = f"{counted(comparison.runs, 'run')} of the same settings on the same stack"
    return [*comparison.notes, used, *[comparison.untested_times] * bool(comparison.untested_times)]


def tasks(comparison: Comparison) -> int:
    """How many the comparison speaks of: more than one of them are "every task", where all are meant."""
    return len({task for drift in comparison.drifts for change in drift.changes for task in change.tasks})


def timing(each: Timing) -> str:
    """ "recovery after SIGKILL child: 0.2 s -> 4.6 s, slower (24 rows against 5 runs, p < 0.0001)"."""
    chance = f"p = {each.p:.1g}" if each.p >= 0.0001 else "p < 0.0001"
    word = "slower" if each.slower else "faster"
    became = f"{seconds(each.before_s)} -> {seconds(each.after_s)}"
    return f"{each.what}: {became}, {word} ({each.rows} rows against {each.runs} runs, {chance})"


def _story(kind: Kind, reason: str) -> str:
    if kind in BRIEF:
        return ""
    return reason if len(reason) <= REASON else f"{reason[: REASON - 3]}..."


def _number(changes: Sequence[Change]) -> int:
    return sum(max(1, len(change.tasks)) for change in changes)


def _whose(changes: Sequence[Change], everybody: int) -> str:
    names = list(dict.fromkeys(task for change in changes for task in change.tasks))
    faults = list(dict.fromkeys(change.fault for change in changes if change.fault))
    mine = "every task" if len(names) == everybody > SHOWN else listed(names, SHOWN)
    return ", ".join(part for part in (mine, listed(faults, SHOWN)) if part)


def _rows(changes: Sequence[Change]) -> str:
    """ "acks_late: child_killed_enter, child_killed_middle and 4 more; routing: redelivery_stays"."""
    suites: dict[str, list[str]] = {}
    for change in changes:
        suite, _, name = change.scenario.partition(".")
        if name:
            suites.setdefault(suite, []).append(name)
    return "; ".join(f"{suite}: {listed(list(dict.fromkeys(names)), SHOWN)}" for suite, names in suites.items())
