"""`assay blame`: a red row is run again with settings changed; the smallest change that makes it hold is found."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from assay import connections
from assay import plan as plans
from assay.audit.finding import Change
from assay.audit.patch import patch
from assay.bench import Bench, bench
from assay.blame.candidates import candidates
from assay.blame.found import Blame, Found, Tried
from assay.counted import counted
from assay.errors import NotShownError, UsageError
from assay.flip import Flip
from assay.plan import Row
from assay.progress import Progress
from assay.report import Report
from assay.reports.words import became
from assay.run import run_row
from assay.selection import Selection
from assay.settings import Settings
from assay.subject import Subject
from assay.verdict import CHAOS, Result, Verdict

AT_ONCE = 4
MOST_ROWS = 5  # of one claim that must hold with a change
MOST_TOGETHER = 3  # changes: more of them nobody would call a cause


def red_rows(report: Report, scenario: str, task: str) -> list[list[Result]]:
    """The violated rows that are meant: those of one claim together, the worst first, one of each scenario.

    Raises UsageError where there is none.
    """
    red = [row for row in report.results if row.verdict is Verdict.VIOLATED and not row.known and row.suite != CHAOS]
    chosen = [row for row in red if scenario in ("", row.scenario, _name(row))]
    chosen = [row for row in chosen if task in ("", row.task, *row.members)]
    if not chosen:
        named = ", ".join(dict.fromkeys(_name(row) for row in red))
        raise UsageError(f"no such row is red in this run; red are {named}" if red else "the run is not red")
    if scenario:
        return [chosen[:1]]
    groups: dict[str, dict[str, Result]] = {}
    for row in sorted(chosen, key=lambda row: -(row.outcome.rank if row.outcome else 0)):
        groups.setdefault(row.claim or _name(row), {}).setdefault(_name(row), row)
    return [list(rows.values())[:MOST_ROWS] for rows in groups.values()]


def _name(row: Result) -> str:
    return f"{row.suite}.{row.scenario}"


def blame(settings: Settings, groups: Sequence[Sequence[Result]], progress: Progress) -> Found:
    """For each group the smallest change with which its rows hold. Raises NotShownError where one is not red again."""
    with bench(settings, progress, called=settings.live) as it:
        settings.out.mkdir(parents=True, exist_ok=True)
        found = []
        for number, results in enumerate(groups):
            first = results[0]
            progress.phase(f"{_name(first)} {first.task}, {counted(len(results), 'row')}")
            rows = [_planned(it, result) for result in results]
            found.append(_Search(it, rows, number).blame(results))
        return _found(found, it.subject, settings.workdir)


def _planned(it: Bench, result: Result) -> Row:
    return _rows(it, it.subject, Selection(tasks=(result.task,), scenarios=(_name(result),)))[0]


def _rows(it: Bench, subject: Subject, only: Selection, *, there: bool = True) -> list[Row]:
    """Those of a task; unless they must be `there`, none where nothing of what is asked for applies to it."""
    members = plans.members(it.settings, subject, Selection(tasks=only.tasks))
    obstacle = connections.obstacle(it.zygote.process.pid, it.broker.url(0))
    wanted = Selection(suites=only.suites, scenarios=only.scenarios)
    try:
        return plans.rows(it.settings, subject, it.pool, members, wanted, obstacle=obstacle)
    except UsageError:
        if there:
            raise
        return []


class _Search:
    """Rows, and what they say with changes. What is promised is what the app promises without them."""

    def __init__(self, it: Bench, rows: Sequence[Row], number: int) -> None:
        self._it = it
        self._rows = rows
        self._folder = it.settings.out / f"row-{number}"
        self._tried: dict[tuple[str, ...], Tried] = {}
        self._as_it_is: dict[str, bool] = {}
        self._price: tuple[list[Flip], str] | None = None  # the smallest change that mends the rows and breaks another

    def blame(self, results: Sequence[Result]) -> Blame:
        """Raises NotShownError where the first of them is not red any more."""
        clock, result = time.monotonic(), results[0]
        target = self._rows[0].target
        them = candidates(result.suite, target.task, self._it.subject, on_redis=target.on_redis)
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="assay-blame") as executor:
            plain = executor.submit(run_row, self._it.kept_in(self._folder / "as-it-is"), self._rows[0])
            list(executor.map(self._try, [[each] for each in them]))
            again = plain.result()
            if again.verdict is not Verdict.VIOLATED:
                name = f"{_name(result)} {result.task}"
                raise NotShownError(f"{name} was violated in the run, and is {again.verdict} now: {again.reason}")
            mends = self._smallest(them, executor)
        return Blame(
            row=result,
            others=[f"{_name(each)} {each.task}" for each in results[1:]],
            again=again,
            mends=mends,
            path=[self._try(mends[: length + 1]) for length in range(len(mends))] if mends else [],
            breaks=self._price[1] if self._price and self._price[0] is mends else "",
            tried=list(self._tried.values()),
            duration_s=round(time.monotonic() - clock, 3),
        )

    def _first_that_fails(self, flips: list[Flip], out: Path) -> Result:
        """Or the last that held. Rows that mean nothing to the changed app are left out, unless all do."""

        def applies(row: Row) -> bool:
            target = replace(row.target, subject=described, task=described.task(row.planned.task))
            return row.scenario.applies(target)

        with self._it.flipped(flips, out) as (flipped, described):
            for row in [row for row in self._rows if applies(row)] or self._rows:
                result = run_row(flipped, row)
                if result.verdict is not Verdict.HELD:
                    break
        return result

    def _smallest(self, them: list[Flip], executor: ThreadPoolExecutor) -> list[Flip] | None:
        for size in range(1, min(MOST_TOGETHER, len(them)) + 1):
            groups = [list(some) for some in combinations(them, size)]
            for group, tried in zip(groups, executor.map(self._try, groups), strict=True):
                if tried.verdict is Verdict.HELD:
                    if not (broken := self._breaks(group, executor)):
                        return group
                    self._price = self._price or (group, broken)
        return self._price[0] if self._price else None

    def _breaks(self, flips: list[Flip], executor: ThreadPoolExecutor) -> str:
        """A row of the suite that the app as it is holds and the changed one, by its own promises, does not.

        Or one of those that it mended, run once more.
        """
        out = self._folder / ("-and-".join(each.key for each in flips) + "-beside")
        suites, task = {row.scenario.suite for row in self._rows}, self._rows[0].planned.task
        with self._it.flipped(flips, out, promises=True) as (changed, described):
            only = Selection(suites=tuple(suites), tasks=(task,))
            rows = _rows(changed, described, only)
            results = [*executor.map(lambda row: run_row(changed, row), rows)]
        red = [row for row, result in zip(rows, results, strict=True) if result.verdict is Verdict.VIOLATED]
        mended = {row.scenario.full_name for row in self._rows}
        for row in red:
            name = row.scenario.full_name
            before = _rows(self._it, self._it.subject, Selection(tasks=(task,), scenarios=(name,)), there=False)
            if name in mended or (before and self._held(before[0])):
                return name
        return ""

    def _held(self, row: Row) -> bool:
        """Without any change; run once, whichever changes break it."""
        name = row.scenario.full_name
        if name not in self._as_it_is:
            result = run_row(self._it.kept_in(self._folder / "beside-as-it-is"), row)
            self._as_it_is[name] = result.verdict is Verdict.HELD
        return self._as_it_is[name]

    def _try(self, flips: list[Flip]) -> Tried:
        key = tuple(str(each) for each in flips)
        if key not in self._tried:
            out = self._folder / "-and-".join(each.key for each in flips)
            try:
                result = self._first_that_fails(flips, out)
            except UsageError as error:
                self._it.must_live()
                said = f"the app does not load with it: {str(error).splitlines()[0]}"
                self._tried[key] = Tried(flips, Verdict.UNKNOWN, "", said, "")
                return self._tried[key]
            self._tried[key] = Tried(
                flips, result.verdict, became(result), result.reason, _name(result), result.recovery_s
            )
        return self._tried[key]


def _found(groups: list[Blame], subject: Subject, root: Path) -> Found:
    """With one patch for all of them: each alone would be in the way of the next."""
    flips = list({str(flip): flip for each in groups for flip in each.mends or ()}.values())
    patched = patch([change for flip in flips if (change := _change(flip))], subject, root)
    left = {each.setting for each in patched.left}
    by_hand = [flip for flip in flips if _change(flip) is None or flip.key in left]
    return Found(groups, patched.diff, by_hand)


def _change(flip: Flip) -> Change | None:
    """None for what is no setting, or is a part of one: that a person has to write."""
    if flip.task or flip.without or flip.entries:
        return None
    return Change(flip.key, repr(flip.value))
