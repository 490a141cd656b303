"""The only place where all meet: run scenarios on the app under test, keep what was recorded, judge, report."""

import queue
import shlex
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import msgspec

from assay import canary, connections, inventory
from assay import case as cases
from assay import plan as plans
from assay.bench import BROKEN, Bench, bench
from assay.brokers import NAMES as BROKERS
from assay.case import Case
from assay.changed import changed, scaled
from assay.chaos import judging
from assay.chaos import script as chaos_script
from assay.cluster import Cluster
from assay.conclusion import Facts, conclude
from assay.contract.agreement import hold_to
from assay.contract.terms import value
from assay.errors import AssayError
from assay.facts import keep, read
from assay.launch import starter
from assay.plan import Planned, Row
from assay.process import Supervisor
from assay.progress import Progress
from assay.report import Report
from assay.scaling import told
from assay.selection import Selection
from assay.settings import Settings
from assay.stage import Refused, Stage
from assay.subject import Task
from assay.verdict import Judgement, Result, Verdict
from assay.warm import Zygote


def run(settings: Settings, selection: Selection, progress: Progress) -> Report:
    """Run what is selected. Raises UsageError for what the user must mend, HarnessError where the harness broke."""
    with bench(settings, progress, called=settings.live) as it:
        return run_on(it, selection, progress)


def run_on(it: Bench, selection: Selection, progress: Progress) -> Report:
    """The same on a bench that is there, whose folder gets what is recorded."""
    settings = it.settings
    members = plans.members(settings, it.subject, selection)
    obstacle = connections.obstacle(it.zygote.process.pid, it.broker.url(0))
    plan = plans.rows(settings, it.subject, it.pool, members, selection, obstacle=obstacle)
    settings.out.mkdir(parents=True, exist_ok=True)
    it.subject.redirected += changed(it.subject, settings, it.pool)
    facts = Facts.of(it.subject, it.broker.name, it.broker.version(), it.pool, settings, members)
    facts.scaled = scaled((row.scenario.scale(row.target) for row in plan), it.subject, it.pool, it.broker.name)
    if skipped := plans.uncallable(settings, it.subject, list(members)):
        facts.notes.append(f"live: not run, since [live] does not say how to call them: {', '.join(skipped)}")
    if settings.sigterm_quits:
        facts.notes.append("scenarios about a warm shutdown are left out: by REMAP_SIGTERM, SIGTERM is a cold one")
    if obstacle:
        facts.notes.append(f"suite reconnect is left out: {obstacle}")
    facts.notes += plans.left_out(settings, it.subject, it.pool, members, selection, plan, obstacle=obstacle)
    if settings.canary and (why := _without_canary(it)):
        facts.notes.append(f"no canary: {why}, so nothing shows that a loss would have been seen")
    facts.plan = [row.planned for row in plan]
    facts.selection = selection.given
    keep(facts, settings.out)
    for note in it.subject.redirected + it.subject.warnings + facts.notes:
        progress.note(note)
    progress.plan(len(plan))
    results, facts.canary = _run_all(it, plan, progress)
    facts.duration_s = time.monotonic() - it.began
    keep(facts, settings.out)
    return conclude(facts, results)


def check_again(folder: Path) -> Report:
    """Judge a finished or broken-off run from what it recorded. Raises UsageError for a damaged folder."""
    facts = read(folder)
    report = _judged(facts, folder)
    report.command = shlex.join(_command(facts)) if facts.broker in BROKERS else ""
    return report


def _command(facts: Facts) -> list[str]:
    """What runs the same again, as far as the facts tell."""
    where = ["--workdir", facts.workdir] * bool(facts.workdir)
    flags = ["--cold"] * facts.cold + ["--live"] * facts.live
    return ["assay", "run", "-A", facts.subject.app, *where, "--broker", facts.broker, "--pool", facts.pool, *flags]


def _judged(facts: Facts, folder: Path) -> Report:
    if facts.demanded:
        script = chaos_script.read(folder / chaos_script.NAME)
        inventory.must_be(folder, facts.files)
        return conclude(facts, judging.judge(facts.subject, script, facts.demanded, folder, facts.events))
    if facts.canary:
        bird = folder / canary.FOLDER
        facts.canary = canary.told(cases.judge(cases.read(bird), bird, folder))
    return conclude(facts, [_judged_again(each, folder, finished=facts.finished) for each in facts.plan])


def _judged_again(planned: Planned, folder: Path, *, finished: bool) -> Result:
    """A row that was planned and not run to its end is unknown: what a broken-off run did not do proves nothing."""
    place = folder / planned.folder
    if finished or (place / cases.NAME).exists():
        return cases.judge(cases.read(place), place, folder)
    judgement = Judgement("harness", Verdict.UNKNOWN, "the run was broken off before this was run to its end")
    return Result(
        **msgspec.structs.asdict(planned),
        verdict=judgement.verdict,
        reason=judgement.reason,
        judgements=[judgement],
    )


def list_tasks(settings: Settings) -> dict[str, str]:
    """{task: its queue and profile} of the app under test, without a broker."""
    with Supervisor() as supervisor:
        subject = Zygote(supervisor, settings.app, settings.workdir, env=settings.environment).subject
    hold_to(subject, settings)
    return {task.name: f"queue {task.queue}, profile {task.profile()}{_contract(task)}" for task in subject.tasks}


def _contract(task: Task) -> str:
    parts = [f"{part}={value(task.contract, part)}" for part in task.contract_at]
    return f", contract {', '.join(parts)}" if parts else ""


def _run_all(it: Bench, plan: list[Row], progress: Progress) -> tuple[list[Result], str]:
    """Several at a time; rows in the plan's order, and what became of the canary, if there is one.

    The first error of the user or the harness ends the run.
    """
    told: queue.SimpleQueue[tuple[str, int, Result | BaseException | None]] = queue.SimpleQueue()
    stopping = False

    def one(number: int) -> None:
        if stopping:
            return
        told.put(("started", number, None))
        try:
            told.put(("finished", number, run_row(it, plan[number])))
        except BaseException as error:
            told.put(("broke", number, error))

    found: dict[int, Result] = {}
    order = sorted(range(len(plan)), key=lambda number: -plan[number].scenario.weight_s)
    with ThreadPoolExecutor(it.settings.jobs, thread_name_prefix="assay-scenario") as executor:
        try:
            for number in order:
                executor.submit(one, number)
            bird = executor.submit(run_row, it, canary.row(plan[0].target)) if _has_canary(it) else None
            while len(found) < len(plan):
                what, number, value = told.get()
                if what == "started":
                    progress.started(f"{plan[number].scenario.full_name} {plan[number].planned.task}")
                elif isinstance(value, Result):
                    found[number] = value
                    progress.finished(value)
                elif isinstance(value, BaseException):
                    raise value
        except BaseException:
            stopping = True
            executor.shutdown(wait=False, cancel_futures=True)
            it.supervisor.close()  # whatever the other scenarios wait for ends now
            raise
    return [found[number] for number in range(len(plan))], canary.told(bird.result()) if bird else ""


def _has_canary(it: Bench) -> bool:
    return it.settings.canary and not _without_canary(it)


def _without_canary(it: Bench) -> str:
    """Why there can be none in this run; "" where there can."""
    if it.settings.bodies != "hollow":
        return "no real body is broken on purpose"
    if it.pool not in canary.SCENARIO.pools:
        return f"it needs pool {canary.SCENARIO.pools[0]}, and this one is {it.pool}"
    return ""


def run_row(it: Bench, row: Row) -> Result:
    """One row, run and judged; what was recorded is kept in its folder."""
    started, planned = time.monotonic(), row.planned
    folder = it.settings.out / planned.folder
    folder.mkdir(parents=True)
    case = Case(
        suite=planned.suite,
        scenario=planned.scenario,
        task=planned.task,
        members=planned.members,
        fault=planned.fault,
    )
    with it.part(folder, planned.folder) as (db, broke):
        _act(it, row, folder, db, case)
    case.error = "".join(broke)
    case.duration_s = round(time.monotonic() - started, 3)
    return cases.close(case, folder, it.settings.out)


def _act(it: Bench, row: Row, folder: Path, db: int, case: Case) -> None:
    """Drive the scenario. What keeps it from its end is raised; then its verdict is unknown."""
    settings, scenario, target = it.settings, row.scenario, row.target
    scaling = scenario.scale(target)
    case.scaled = told([scaling])
    own_results = scenario.own_results and target.breakable_results == "server"
    with (
        it.own_broker(scenario.own_broker, folder.name) as broker,
        it.own_results(own_results, folder.name) as results,
        Cluster(
            it.zygote,
            broker or it.broker,
            folder,
            it.supervisor.folder,
            db,
            pool=it.pool,
            concurrency=settings.concurrency,
            live=settings.bodies == "live",
            scaled=scaling.redirection,
            start=starter(settings, it.supervisor),
            results=results,
        ) as cluster,
    ):
        stage = Stage(scenario, target, cluster, scaling, settings)
        try:
            with suppress(Refused):
                scenario.act(stage)
                stage.conclude()
            cluster.final_read()
        finally:
            case.checkers = stage.checkers
            case.claim = it.subject.claim(stage.setting) if stage.setting else ""
            case.place = stage.place or it.subject.place_of(stage.setting, target.task)
            case.promise, case.remedy = stage.promise, it.subject.worded(stage.remedy)


__all__ = ["BROKEN", "AssayError", "check_again", "list_tasks", "run"]
