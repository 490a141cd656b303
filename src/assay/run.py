"""The only place where all meet: run scenarios on the app under test, keep what was recorded, judge, report."""

import queue
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from assay import broker as brokers
from assay import case as cases
from assay.broker import Broker
from assay.case import Case
from assay.cluster import Cluster
from assay.conclusion import Facts, conclude
from assay.errors import AssayError, HarnessError, UsageError
from assay.launch import starter
from assay.process import Supervisor
from assay.progress import Progress
from assay.report import Report
from assay.scaling import POOL_CHECK, Target
from assay.scenario import Scenario, scenarios
from assay.selection import Selection
from assay.settings import Settings
from assay.stage import Stage
from assay.subject import Subject, Task
from assay.verdict import Result
from assay.warm import Zygote

FACTS = "facts.json"
CASES = "cases"


@dataclass
class Bench:
    """What all scenarios of a run share."""

    settings: Settings
    supervisor: Supervisor
    broker: Broker
    zygote: Zygote
    databases: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)

    @property
    def subject(self) -> Subject:
        return self.zygote.subject

    @property
    def pool(self) -> str:
        return self.settings.pool or self.subject.pool


def run(settings: Settings, selection: Selection, progress: Progress) -> Report:
    """Run what is selected. Raises UsageError for what the user must mend, HarnessError where the harness broke."""
    clock = time.monotonic()
    with bench(settings, progress) as it:
        plan = _plan(it, selection)
        settings.out.mkdir(parents=True, exist_ok=True)
        facts = Facts.of(it.subject, it.broker.name, it.broker.version(), it.pool, settings, _members(it, selection))
        facts.scaled = _scaled(plan, it.pool)
        _keep(facts, settings.out)
        for note in it.subject.redirected + it.subject.warnings:
            progress.note(note)
        progress.plan(len(plan))
        results = _run_all(it, plan, progress)
    facts.duration_s = time.monotonic() - clock
    _keep(facts, settings.out)
    return conclude(facts, results)


def _scaled(plan: list[tuple[Scenario, Target, list[str]]], pool: str) -> list[str]:
    said = {sentence for scenario, target, _ in plan for sentence in scenario.scale(target).sentences}
    return sorted(said | ({POOL_CHECK} if pool == "prefork" else set()))


def _keep(facts: Facts, folder: Path) -> None:
    """Written beside and renamed: a run that is killed here leaves the old facts or the new."""
    path = folder / FACTS
    path.with_suffix(".new").write_bytes(msgspec.json.encode(facts))
    path.with_suffix(".new").rename(path)


def check_again(folder: Path) -> Report:
    """Judge a finished or broken-off run from what it recorded. Raises UsageError for a damaged folder."""
    path = folder / FACTS
    try:
        facts = msgspec.json.decode(path.read_bytes(), type=Facts)
    except FileNotFoundError:
        raise UsageError(f"{folder} is not a run folder: it has no {FACTS}") from None
    except msgspec.MsgspecError as error:
        raise UsageError(f"{path} is damaged or of another version of Assay: {error}") from None
    folders = sorted(path.parent for path in (folder / CASES).glob(f"*/{cases.NAME}"))
    results = [cases.judge(cases.read(each), each, folder) for each in folders]
    return conclude(facts, results)


def list_tasks(settings: Settings) -> dict[str, str]:
    """{task: its queue and profile} of the app under test, without a broker."""
    with Supervisor() as supervisor:
        subject = Zygote(supervisor, settings.app, settings.workdir, env=_environment(settings)).subject
    return {task.name: f"queue {task.queue}, profile {task.profile()}" for task in subject.tasks}


@contextmanager
def bench(settings: Settings, progress: Progress) -> Iterator[Bench]:
    """Supervisor, broker and zygote; all gone at the end."""
    with ExitStack() as stack:
        supervisor = stack.enter_context(Supervisor())
        progress.phase("starting the broker")
        broker = brokers.start(settings.broker, supervisor.folder / "broker", supervisor.spawn)
        stack.callback(broker.stop)
        progress.phase(f"importing {settings.app}")
        zygote = Zygote(supervisor, settings.app, settings.workdir, env=_environment(settings), pool=settings.pool)
        if not zygote.subject.tasks:
            raise UsageError(
                f"{settings.app} has no tasks of its own: are the modules with tasks imported "
                "(include=, autodiscover_tasks())?"
            )
        if zygote.subject.databases:
            progress.phase("migrating a private copy of the database")
            zygote.prepare_databases()
        progress.phase("running")
        made = Bench(settings, supervisor, broker, zygote)
        for number in range(1 if broker.name == "external" else settings.jobs):
            made.databases.put(2 * number)  # one for messages, the next for results
        yield made


def _environment(settings: Settings) -> dict[str, str]:
    django = {"DJANGO_SETTINGS_MODULE": settings.django_settings} if settings.django_settings else {}
    return {**settings.env, **django}


def _members(it: Bench, selection: Selection) -> dict[str, list[str]]:
    """{task that is run: the tasks that it stands for}."""
    names = selection.pick_tasks([task.name for task in it.subject.tasks])
    groups: dict[str, list[Task]] = {}
    for task in it.subject.tasks:
        if task.name in names:
            groups.setdefault(task.name if it.settings.each_task else task.profile(), []).append(task)
    return {group[0].name: [task.name for task in group] for group in groups.values()}


def _plan(it: Bench, selection: Selection) -> list[tuple[Scenario, Target, list[str]]]:
    known = scenarios()
    wanted = selection.pick_scenarios(known)
    plan = []
    for name, members in _members(it, selection).items():
        call = it.settings.live.get(name)
        if it.settings.bodies == "live" and call is None:
            continue  # nobody said how to call it
        target = Target(it.subject, it.subject.task(name), it.pool, it.settings.bodies, bool(call and call.slow))
        plan += [(known[full], target, members) for full in wanted if known[full].applies(target)]
    if not plan:
        live = ", live: are there arguments for it in [live]?" if it.settings.bodies == "live" else ""
        raise UsageError(f"no selected scenario applies to a selected task of this app with this pool{live}")
    return plan


def _run_all(it: Bench, plan: list[tuple[Scenario, Target, list[str]]], progress: Progress) -> list[Result]:
    """Several at a time; rows in the plan's order. The first error of the user or the harness ends the run."""
    told: queue.SimpleQueue[tuple[str, int, Result | BaseException | None]] = queue.SimpleQueue()
    stopping = False

    def one(number: int) -> None:
        if stopping:
            return
        told.put(("started", number, None))
        try:
            told.put(("finished", number, _run_one(it, number, *plan[number])))
        except BaseException as error:
            told.put(("broke", number, error))

    found: dict[int, Result] = {}
    order = sorted(range(len(plan)), key=lambda number: -plan[number][0].weight_s)
    with ThreadPoolExecutor(it.settings.jobs, thread_name_prefix="assay-scenario") as executor:
        try:
            for number in order:
                executor.submit(one, number)
            while len(found) < len(plan):
                what, number, value = told.get()
                scenario, target, _ = plan[number]
                if what == "started":
                    progress.started(f"{scenario.full_name} {target.task.name}")
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
    return [found[number] for number in range(len(plan))]


def _run_one(it: Bench, number: int, scenario: Scenario, target: Target, members: list[str]) -> Result:
    started = time.monotonic()
    folder = it.settings.out / CASES / f"{number:03d}-{scenario.full_name}-{target.task.name.rpartition('.')[2]}"
    db = it.databases.get()
    case = Case(
        suite=scenario.suite, scenario=scenario.name, task=target.task.name, members=members, fault=scenario.fault
    )
    try:
        _act(it, scenario, target, folder, db, case)
    finally:
        it.databases.put(db)
    case.duration_s = round(time.monotonic() - started, 3)
    cases.write(case, folder)
    return cases.judge(case, folder, it.settings.out)


def _act(it: Bench, scenario: Scenario, target: Target, folder: Path, db: int, case: Case) -> None:
    """Drive the scenario; what keeps it from its end is kept as the case's error, and its verdict is unknown."""
    settings = it.settings
    scaling = scenario.scale(target)
    case.scaled = scaling.sentences
    with Cluster(
        it.zygote,
        it.broker,
        folder,
        it.supervisor.folder,
        db,
        pool=it.pool,
        concurrency=settings.concurrency,
        live=settings.bodies == "live",
        scaled=scaling.redirection,
        start=starter(settings, it.supervisor),
    ) as cluster:
        stage = Stage(scenario, target, cluster, scaling, settings)
        try:
            scenario.act(stage)
            cluster.final_read()
        except UsageError:
            raise
        except HarnessError as error:
            case.error = str(error)
        case.checkers = stage.checkers
        case.claim = it.subject.claim(stage.setting) if stage.setting else ""
        case.place = stage.place or it.subject.place(stage.setting) or target.task.place
        case.promise, case.remedy = stage.promise, stage.remedy


__all__ = ["AssayError", "check_again", "list_tasks", "run"]
