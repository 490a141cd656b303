"""Which difference between two runs is behind a row that drifted."""

import math

import msgspec

from assay.audit.promises import promised
from assay.compare.comparison import Difference
from assay.compare.differences import FIRST, NO_VERSIONS, NOTHING, environment, key_of, settings
from assay.report import Report
from assay.subject import CONTRACT
from assay.verdict import Result


class Cause(msgspec.Struct, frozen=True):
    """`changed`: it differs between the runs; else it is only what the row is about."""

    text: str
    changed: bool
    place: str = ""


class Causes:
    """Of one comparison: settings first, then versions."""

    def __init__(self, base: Report, current: Report) -> None:
        self.base, self.current = base, current
        self.settings = settings(base, current)
        ran_on = environment(base, current)
        self._environment = [each for each in ran_on if each.name not in NO_VERSIONS]
        self._only_settings = not ran_on and any(promised(each.name) for each in self.settings)

    def of(self, before: Result | None, after: Result | None, task: str) -> Cause:
        """The setting that a row claims, where that was changed; else the only thing that was; else what it claims."""
        if (found := self._claimed(before, after, task)) or (found := self._only_one()):
            return Cause(str(found), True, found.place)
        if self._environment and not self.settings:
            return Cause(", ".join(_version(each) for each in self._stack()), True)
        row = after or before
        assert row is not None
        return Cause(row.claim or "without a claim", False, row.place)

    def is_of_no_use(self, before: Result, task: str) -> bool:
        """Whether a row that is not there was left out since, as the app is set now, it would mean nothing."""
        return self._only_settings or self.was_changed(before, task)

    def was_changed(self, before: Result, task: str) -> bool:
        """Whether the setting that it claimed had a value that meant something, and has another one."""
        found = self._claimed(before, None, task)
        if found is None:
            return False
        promises_by_it = before.claim.endswith(f"={found.before}")  # task_create_missing_queues=False
        return promises_by_it or found.before not in NOTHING

    def is_withdrawn(self, before: Result, after: Result, task: str) -> bool:
        """Whether both hold, and what they promise is not the same, since the setting has another value.

        A contract that requires more than before, and is kept, withdraws nothing.
        """
        found = self._claimed(before, None, task)
        if found and found.name.startswith(CONTRACT):
            return not _requires_more(found)
        return before.promise not in ("", after.promise) and self.was_changed(before, task)

    def loosened(self) -> list[Difference]:
        """What contracts required, and do not require any more, or not as much."""
        return [each for each in self.settings if each.name.startswith(CONTRACT) and not _requires_more(each)]

    def is_gone(self, task: str) -> bool:
        """Whether the app does not have the task any more."""
        tasks = self.current.app.get("tasks", {})
        return bool(tasks) and task not in tasks and task in self.base.app.get("tasks", {})

    def _claimed(self, before: Result | None, after: Result | None, task: str) -> Difference | None:
        for row, report in ((before, self.base), (after, self.current)):
            if row is None or not row.claim:
                continue
            key = key_of(row.claim, report)
            for each in self.settings:
                if each.name == key and not each.tasks:
                    return each
                if each.tasks and task in each.tasks and key in (each.name, f"task_{each.name}"):
                    return each
        return None

    def _only_one(self) -> Difference | None:
        return self.settings[0] if len(self.settings) == 1 and not self._environment else None

    def _stack(self) -> list[Difference]:
        return sorted(self._environment, key=lambda each: FIRST.index(each.name) if each.name in FIRST else len(FIRST))


def _version(each: Difference) -> str:
    return f"{each.name} {each.before or 'not there'} -> {each.after or 'not there'}"


def _requires_more(each: Difference) -> bool:
    """Whether all that was required still is. Another queue is not, nor any other delivery but a stricter."""
    if each.before is None or each.after is None:
        return each.before is None
    match each.name.removeprefix(CONTRACT):
        case "recovery_s" | "attempts" | "run_s":
            return _number(each.after) <= _number(each.before)
        case "delivery":
            return each.after == "effectively_once"
    return False


def _number(text: str) -> float:
    """Not a number, which is no more and no less than any, where a file that was edited has none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
