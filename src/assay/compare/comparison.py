"""What became of the guarantees between a base and a current run. Data only; `compare.json` is this."""

from enum import StrEnum

import msgspec

from assay.verdict import Verdict

SCHEMA = 1
LONG = 60  # characters of a value
CUT = "..."  # in what is left of a value that is longer than reports show


class Kind(StrEnum):
    """What became of a guarantee, worst first."""

    VIOLATED = "newly violated"
    WEAKER = "weaker"  # nothing is promised against it, and what happens is worse than before
    GONE = "task gone"  # from the app: what is published under its name is thrown away
    WITHDRAWN = "promised otherwise"  # the setting has another value, and what was proved of the old one is void
    LATER = "recovers later"  # beyond any noise
    UNKNOWN = "unknown now"
    NOT_RUN = "not run now"
    UNDECIDED = "unknown now, and not held before"
    KNOWN = "known"
    FLAKY = "flaky"
    CHANGED = "otherwise, and no weaker"
    STRONGER = "stronger"
    NEW = "new"


WORSE = frozenset({Kind.VIOLATED, Kind.WEAKER, Kind.GONE, Kind.WITHDRAWN, Kind.LATER})
UNPROVED = frozenset({Kind.UNKNOWN, Kind.NOT_RUN})


class Change(msgspec.Struct, kw_only=True, frozen=True):
    """One scenario for some tasks that behave alike."""

    scenario: str  # "suite.scenario"
    tasks: tuple[str, ...]
    fault: str
    before: str  # the guarantee in words; "" where there was no such row
    after: str
    verdict_before: Verdict | None = None
    verdict_after: Verdict | None = None
    reason: str = ""  # of the current row; of the earlier one where there is none


class Drift(msgspec.Struct, kw_only=True, frozen=True):
    """All changes of one kind that one thing is behind: a setting, the versions, or no change that is known."""

    kind: Kind
    cause: str  # "task_acks_late: True -> not set", "celery 5.6.3 -> 5.7.0", or the claim where nothing was changed
    changed: bool  # whether `cause` is a difference between the two runs
    place: str = ""  # file:line
    changes: list[Change]


class Difference(msgspec.Struct, kw_only=True, frozen=True):
    """A setting, an option of some tasks, or a version; None: not set, not there."""

    name: str
    before: str | None
    after: str | None
    place: str = ""  # in the current sources; in the earlier ones for what is not set any more
    tasks: tuple[str, ...] = ()  # whose option it is

    @property
    def placed(self) -> str:
        """With its place, where that is known."""
        return f"{self}, {self.place}" if self.place else str(self)

    def __str__(self) -> str:
        whose = f"{self.tasks[0]}: " if len(self.tasks) == 1 else f"{len(self.tasks)} tasks: " if self.tasks else ""
        before, after = _shown(self.before), _shown(self.after)
        if len(before) > LONG and len(after) > LONG:
            before, after = _apart(before, after), _apart(after, before)
        return f"{whose}{self.name}: {before} -> {after}"


class Timing(msgspec.Struct, kw_only=True, frozen=True):
    """Times of many rows, where they differ by more than chance and by more than the earlier runs among themselves."""

    what: str  # "recovery after SIGKILL child", "duration of suite acks_late"
    before_s: float  # medians
    after_s: float
    p: float  # of a two-sided rank test
    rows: int  # of the current run
    runs: int  # that are compared with

    @property
    def slower(self) -> bool:
        return self.after_s > self.before_s


class Comparison(msgspec.Struct, kw_only=True):
    """Drifts are worst first. Nothing that the base had and the current run has not is left out."""

    schema: int = SCHEMA
    app: str
    exit_code: int  # 0 nothing got worse, 1 something did, 3 something that was held is not proved any more
    runs: int  # of the base, that were compared with
    rows: int  # of the current run, a task each
    same: int  # of these that are as they were
    drifts: list[Drift] = []
    settings: list[Difference] = []
    environment: list[Difference] = []
    timings: list[Timing] = []
    untested_times: str = ""  # why times were held against a wide bound only
    blind: str = ""  # what became of the current run's canary, where it was not seen to be lost; that there was none
    conflicts: list[str] = []  # packages of the current run that do not fit together, and do in the base's environment
    notes: list[str] = []  # which runs were used, which were not, and why

    def of(self, *kinds: Kind) -> list[Drift]:
        return [drift for drift in self.drifts if drift.kind in kinds]


def lacking(value: str, other: str) -> list[str]:
    """Entries of a dict or list that the other one has not, as far as both are shown."""
    others = [each.strip("{}[]()") for each in other.split(", ")]
    mine = [each.strip("{}[]()") for each in value.split(", ")]
    if CUT in others[-1]:
        both = [number for number, each in enumerate(mine) if each in others]
        mine = mine[: both[-1] if both else 0]
    return [each for each in mine if each and each not in others and CUT not in each]


def _shown(value: str | None) -> str:
    return "not set" if value is None else value


def _apart(value: str, other: str) -> str:
    return ", ".join(lacking(value, other)) or "what is cut off"
