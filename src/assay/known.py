"""Known findings: violations that the team has seen, explained and cannot mend, since Celery itself misbehaves.

Such a violation stays visible and does not turn the exit code. Nothing else may turn a violation green.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from fnmatch import fnmatchcase

import msgspec

from assay.verdict import CHAOS, Result, Verdict


class Known(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of `known`, of a scenario or of a rule of `assay audit`. It counts through the day `expires`."""

    scenario: str = ""  # pattern over "suite.scenario"
    rule: str = ""  # the name of a rule: what it finds is accepted
    setting: str = "*"  # with `rule`: pattern over names of settings
    task: str = "*"  # pattern over task names; one that fits a member of a profile fits the profile's row
    reason: str
    upstream: str  # where Celery's defect is described: an issue, a pull request, a page
    expires: date | None = None

    def fits(self, result: Result) -> bool:
        """Whether it speaks of this row."""
        return (
            bool(self.scenario)
            and fnmatchcase(f"{result.suite}.{result.scenario}", self.scenario)
            and self.names_one_of({result.task, *result.members})
        )

    def speaks_of(self, rule: str, settings: Sequence[str], tasks: Sequence[str]) -> bool:
        """Whether it is about this finding: one that is of no task, or of no setting, fits "*" alone."""
        return (
            self.rule == rule
            and (self.setting == "*" or any(fnmatchcase(name, self.setting) for name in settings))
            and (self.task == "*" or self.names_one_of(tasks))
        )

    def names_one_of(self, tasks: Iterable[str]) -> bool:
        return any(name == self.task or fnmatchcase(name, self.task) for name in tasks)

    def expired(self, today: date) -> bool:
        """Whether its day has passed."""
        return self.expires is not None and self.expires < today

    def __str__(self) -> str:
        what = f"{self.scenario} for {self.task}" if self.scenario else f"{self.rule} for {self.setting}"
        return f"{what} ({self.reason}; {self.upstream})"


def mark_known(results: Iterable[Result], known: Sequence[Known], today: date, tasks: Sequence[str] = ()) -> list[str]:
    """Write the reason into `Result.known` of each violated row that an entry speaks of.

    Returns one sentence for each entry that is of no use any more, for `Report.known_not_seen`: it has expired, names
    none of the app's `tasks`, or its scenario ran and every row that it speaks of held. An entry whose scenario was not
    run, or is unknown, or is drawn by chance, is left in peace: nothing was proved.
    """
    rows = list(results)
    told = []
    for entry in known:
        if entry.rule:
            continue  # an audit tells of those
        fitting = [row for row in rows if entry.fits(row)]
        if entry.expired(today):
            told.append(f"expired on {entry.expires}, so it does not count: {entry}")
            continue
        if tasks and not entry.names_one_of(tasks):
            told.append(f"the app has no such task, so it counts for nothing: {entry}")
        for row in fitting:
            if row.verdict is Verdict.VIOLATED and not row.known:
                row.known = f"{entry.reason} ({entry.upstream})"
        if fitting and all(row.verdict is Verdict.HELD and row.suite != CHAOS for row in fitting):
            told.append(f"no longer shows, the entry can go: {entry}")
    return told
