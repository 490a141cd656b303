"""`assay blame`: a red row is run again with settings changed; the smallest change that makes it hold is found."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path

from assay import connections
from assay import plan as plans
from assay.audit.finding import Change
from assay.audit.patch import patch
from assay.bench import Bench, bench
from assay.blame.candidates import candidates
from assay.blame.found import Blame, Tried
from assay.counted import counted
from assay.errors import NotShownError, UsageError
from assay.flip import Flip
from assay.plan import Row
from assay.progress import Progress
from assay.report import Report
from assay.run import run_row
from assay.selection import Selection
from assay.settings import Settings
from assay.verdict import CHAOS, Result, Verdict

AT_ONCE = 4
MOST_ROWS = 5  # of one claim that must hold with a change
MOST_TOGETHER = 3  # changes: more of them nobody would call a cause


def red_rows(report: Report, scenario: str, task: str) -> list[list[Result]]:
    """The violated rows that are meant: those of one claim together, the worst first, one of each scenario.

    Raises UsageError where there is none.
    """
    red = [row for row in report.results if row.verdict is Verdict.VIOLATED and not row.known and row.suite != CHAOS]
    chosen = [row for row in red if scenario in ("", row.scenario, f"{row.suite}.{row.scenario}")]
    chosen = [row for row in chosen if task in ("", row.task, *row.members)]
    if not chosen:
        named = ", ".join(dict.fromkeys(f"{row.suite}.{row.scenario}" for row in red))
        raise UsageError(f"no such row is red in this run; red are {named}" if red else "the run is not red")
    if scenario:
        return [chosen[:1]]
    groups: dict[str, dict[str, Result]] = {}
    for row in sorted(chosen, key=lambda row: -(row.outcome.rank if row.outcome else 0)):
        name = f"{row.suite}.{row.scenario}"
        groups.setdefault(row.claim or name, {}).setdefault(name, row)
    return [list(rows.values())[:MOST_ROWS] for rows in groups.values()]


def blame(settings: Settings, groups: Sequence[Sequence[Result]], progress: Progress) -> list[Blame]:
    """For each group the smallest change with which all of its rows hold; NotShownError where none is red any more."""
    with bench(settings, progress, called=settings.live) as it:
        settings.out.mkdir(parents=True, exist_ok=True)
        found = []
        for number, results in enumerate(groups):
            first = results[0]
            progress.phase(f"{first.suite}.{first.scenario} {first.task}, {counted(len(results), 'row')}")
            rows = [_planned(it, result) for result in results]
            found.append(_Search(it, rows, number).blame(results, settings.workdir))
        return found


def _planned(it: Bench, result: Result) -> Row:
    wanted = Selection(tasks=(result.task,), scenarios=(f"{result.suite}.{result.scenario}",))
    members = plans.members(it.settings, it.subject, Selection(tasks=(result.task,)))
    obstacle = connections.obstacle(it.zygote.process.pid, it.broker.url(0))
    return plans.rows(it.settings, it.subject, it.pool, members, wanted, obstacle=obstacle)[0]


class _Search:
    """Rows, and what they say with changes. What is promised is what the app promises without them."""

    def __init__(self, it: Bench, rows: Sequence[Row], number: int) -> None:
        self._it = it
        self._rows = rows
        self._folder = it.settings.out / f"row-{number}"
        self._tried: dict[tuple[str, ...], Tried] = {}

    def blame(self, results: Sequence[Result], root: Path) -> Blame:
        """Raises NotShownError where the first of them is not red any more."""
        clock, result = time.monotonic(), results[0]
        target = self._rows[0].target
        them = candidates(result.suite, target.task, self._it.subject, on_redis=target.on_redis)
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="assay-blame") as executor:
            plain = executor.submit(run_row, self._it.kept_in(self._folder / "as-it-is"), self._rows[0])
            list(executor.map(self._try, [[each] for each in them]))
            again = plain.result()
            if again.verdict is not Verdict.VIOLATED:
                name = f"{result.suite}.{result.scenario} {result.task}"
                raise NotShownError(f"{name} was violated in the run, and is {again.verdict} now: {again.reason}")
            mends = self._smallest(them, executor)
        changes = [_change(flip) for flip in mends or ()]
        patched = patch([each for each in changes if each], self._it.subject, root)
        left = {each.setting for each in patched.left}
        return Blame(
            row=result,
            others=[f"{each.suite}.{each.scenario} {each.task}" for each in results[1:]],
            again=again,
            mends=mends,
            path=[self._try(mends[: length + 1]) for length in range(len(mends))] if mends else [],
            tried=list(self._tried.values()),
            patch=patched.diff,
            by_hand=[flip for flip in mends or () if flip.task or flip.key in left],
            duration_s=round(time.monotonic() - clock, 3),
        )

    def _smallest(self, them: list[Flip], executor: ThreadPoolExecutor) -> list[Flip] | None:
        for size in range(1, min(MOST_TOGETHER, len(them)) + 1):
            groups = [list(some) for some in combinations(them, size)]
            for group, tried in zip(groups, executor.map(self._try, groups), strict=True):
                if tried.verdict is Verdict.HELD:
                    return group
        return None

    def _try(self, flips: list[Flip]) -> Tried:
        key = tuple(str(each) for each in flips)
        if key not in self._tried:
            out = self._folder / "-and-".join(each.key for each in flips)
            with self._it.flipped(flips, out) as (flipped, _):
                for row in self._rows:
                    result = run_row(flipped, row)
                    if result.verdict is not Verdict.HELD:
                        break
            outcome = str(result.outcome or result.verdict)
            name = f"{result.suite}.{result.scenario}"
            self._tried[key] = Tried(flips, result.verdict, outcome, result.reason, name, result.recovery_s)
        return self._tried[key]


def _change(flip: Flip) -> Change | None:
    """None for what is no setting, or is a part of one: that a person has to write."""
    if flip.task or flip.without or flip.entries:
        return None
    return Change(flip.key, repr(flip.value))
