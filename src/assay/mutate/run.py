"""`assay mutate`: each mutant is run against the scenarios that are about it, until one of them goes red."""

import functools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase

import msgspec

from assay import connections
from assay import plan as plans
from assay.bench import Bench, bench
from assay.brokers import unheeded
from assay.errors import UsageError
from assay.mutate.killers import KILLERS, UNSEEN
from assay.mutate.mutant import Mutant, Mutation, Outcome, Status
from assay.mutate.operators import backups, mutants
from assay.plan import Row
from assay.progress import Progress
from assay.run import run_row
from assay.scenario import PREFORK
from assay.selection import Selection
from assay.settings import Settings
from assay.subject import Subject
from assay.verdict import Result, Verdict

OF_PREFORK = (
    *("task_time_limit", "task_soft_time_limit", "worker_max_tasks_per_child", "worker_max_memory_per_child"),
    *("worker_pool_restarts", "task_reject_on_worker_lost", "time_limit", "soft_time_limit"),
)
#: settings whose effect is in nothing that an app is described by: whether it is the same is for scenarios to say
UNDESCRIBED = (
    *("broker_connection_retry", "result_backend_always_retry", "task_acks_on_failure", "task_acks_on_timeout"),
    *("task_acks_on_failure_or_timeout", "task_ignore_result", "worker_pool_restarts"),
    "confirm_publish",
)
SAYS = ("settings", "redirected", "warnings", "versions")  # of a subject: what is no behaviour


def mutate(settings: Settings, selection: Selection, progress: Progress) -> Mutation:
    """Raises UsageError for what the user must mend, HarnessError where the harness broke."""
    clock = time.monotonic()
    with bench(settings, progress, called=settings.live) as it:
        settings.out.mkdir(parents=True, exist_ok=True)
        members = plans.members(settings, it.subject, selection)
        obstacle = connections.obstacle(it.zygote.process.pid, it.broker.url(0))

        @functools.cache
        def rows(task: str) -> list[Row]:
            some = plans.members(settings, it.subject, Selection(tasks=(task,))) if task else members
            return plans.rows(settings, it.subject, it.pool, some, Selection(), obstacle=obstacle)

        them = mutants(it.subject)
        if not them:
            raise UsageError(f"{settings.app} sets nothing that a scenario could see: there is nothing to mutate")
        progress.plan(len(them))
        run = Run(it, rows, them)
        with ThreadPoolExecutor(settings.jobs, thread_name_prefix="assay-mutant") as executor:
            try:
                outcomes = list(executor.map(lambda pair: _told(run.one(*pair), progress), enumerate(them)))
            except BaseException:
                executor.shutdown(wait=False, cancel_futures=True)
                it.supervisor.close()
                raise
        return Mutation(
            app=it.subject.app,
            broker=it.broker.name,
            pool=it.pool,
            outcomes=outcomes,
            red_already=run.red_already,
            duration_s=round(time.monotonic() - clock, 3),
        )


def _told(outcome: Outcome, progress: Progress) -> Outcome:
    progress.note(f"{outcome.status}: {outcome.mutant.change}{f' by {outcome.killer}' if outcome.killer else ''}")
    return outcome


class Run:
    """The rows of the app as it is, each run once at most, and only where it decides about a mutant."""

    def __init__(self, it: Bench, rows: Callable[[str], Sequence[Row]], them: Sequence[Mutant]) -> None:
        """`rows` are those that apply to a task of this name; "": of all groups of tasks."""
        self._it = it
        self._rows = rows
        self._them = them
        self._lock = threading.Lock()
        self._held: dict[tuple[str, str], threading.Lock] = {}
        self._as_it_is: dict[tuple[str, str], Result] = {}
        self.red_already: list[str] = []

    def one(self, number: int, mutant: Mutant) -> Outcome:
        clock = time.monotonic()

        def outcome(status: Status, **told: object) -> Outcome:
            fields = {"mutant": mutant, "status": status, "duration_s": round(time.monotonic() - clock, 3), **told}
            return msgspec.convert(fields, Outcome, strict=False, from_attributes=True)

        if why := self._ignored(mutant):
            return outcome(Status.NOT_APPLICABLE, said=why)
        rows = self._killers(mutant)
        if not rows:
            missing = UNSEEN.get(mutant.setting)
            why = (
                f"no scenario is about {missing}" if missing else "no scenario about it applies to this app and broker"
            )
            return outcome(Status.NO_COVERAGE, said=why)
        tried: list[str] = []
        unknown: list[str] = []
        try:
            with self._it.flipped(mutant.flips, self._it.settings.out / f"mutant-{number:03d}") as (flipped, described):
                if not _named(mutant) & {*UNDESCRIBED} and _same(described, self._it.subject):
                    status = Status.SHADOWED if _overridden(mutant, self._it.subject) else Status.EQUIVALENT
                    own = "each task has a value of its own"
                    same = "no task and no worker is different"
                    return outcome(status, said=own if status is Status.SHADOWED else same)
                for row in rows:
                    result = run_row(flipped, row)
                    name = row.scenario.full_name
                    if result.verdict is Verdict.VIOLATED and self._holds(row):
                        return outcome(Status.KILLED, killer=name, said=result.reason, tried=tried)
                    (tried if result.verdict is Verdict.HELD else unknown).append(f"{name} {result.task}")
            if tried and (backed := self._backed_up(number, mutant, rows)):
                return outcome(Status.SHADOWED, said=backed, tried=tried)
        except UsageError as error:
            self._it.must_live()
            return outcome(Status.REFUSED, said=f"the app does not load with it: {str(error).splitlines()[0]}")
        if tried:
            return outcome(Status.SURVIVED, said=f"it held in {', '.join(tried)}", tried=tried)
        return outcome(Status.UNKNOWN, said=f"not judged, or red without it: {', '.join(unknown)}")

    def _backed_up(self, number: int, mutant: Mutant, rows: Sequence[Row]) -> str:
        """What does the same as what was flipped: without both, and not without it alone, a scenario goes red."""
        for each in backups(mutant, self._it.subject, self._them):
            out = self._it.settings.out / f"mutant-{number:03d}-and-{each.setting}"
            with self._it.flipped([*mutant.flips, *each.flips], out) as (both, _):
                red = next((row for row in rows if run_row(both, row).verdict is Verdict.VIOLATED), None)
            if red is None:
                continue
            with self._it.flipped(each.flips, out.with_name(f"{out.name}-alone")) as (alone, _):
                if run_row(alone, red).verdict is Verdict.HELD:
                    return f"{each.setting} does the same: without both, {red.scenario.full_name} goes red"
        return ""

    def _ignored(self, mutant: Mutant) -> str:
        broker = self._it.broker.name
        if why := unheeded(_named(mutant), broker):
            return why
        if mutant.setting in OF_PREFORK and self._it.pool not in PREFORK:
            return f"pool {self._it.pool} ignores it"
        return ""

    def _killers(self, mutant: Mutant) -> list[Row]:
        """The likeliest first; of each scenario one row, of a task that the mutant is about, where it is about one."""
        rows = [row for name in mutant.tasks or [""] for row in self._rows(name)]
        found = []
        for pattern in KILLERS.get(mutant.setting, ()):
            found += [row for row in rows if fnmatchcase(row.scenario.full_name, pattern)][:1]
        return found

    def _holds(self, row: Row) -> bool:
        """Whether it holds without the mutant: only then can it kill one."""
        key = row.scenario.full_name, row.planned.task
        with self._lock:
            mine = self._held.setdefault(key, threading.Lock())
        with mine:
            if key not in self._as_it_is:
                out = self._it.settings.out / "as-it-is" / row.planned.task
                self._as_it_is[key] = run_row(self._it.kept_in(out), row)
                if self._as_it_is[key].verdict is not Verdict.HELD:
                    self.red_already.append(" ".join(key))
            return self._as_it_is[key].verdict is Verdict.HELD


def _same(one: Subject, other: Subject) -> bool:
    return _behaviour(one) == _behaviour(other)


def _behaviour(subject: Subject) -> dict[str, object]:
    fields = msgspec.to_builtins(subject)
    tasks = [{key: value for key, value in task.items() if key != "left_out"} for task in fields.pop("tasks")]
    return {"tasks": tasks} | {key: value for key, value in fields.items() if key not in SAYS}


def _overridden(mutant: Mutant, subject: Subject) -> bool:
    """Whether what nothing comes of is a setting that tasks have an option for: then each has one of its own."""
    option = mutant.setting.removeprefix("task_")
    return mutant.setting.startswith("task_") and any(hasattr(task, option) for task in subject.tasks)


def _named(mutant: Mutant) -> set[str]:
    """The setting, or those entries of it that are changed."""
    return {key for flip in mutant.flips for key in flip.entries} or {mutant.setting}
