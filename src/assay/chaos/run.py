"""A chaos run from its script to its report; where cluster, campaign and judging meet."""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from assay.bench import Bench, bench
from assay.broker import OwnBroker
from assay.changed import other_kind, scaled
from assay.chaos import draw, elsewhere, judging
from assay.chaos.campaign import Campaign, keeps
from assay.chaos.possible import breakable_results, must_be_possible, out_of_reach, possible
from assay.chaos.script import NAME, ChaosScript, Workload, write
from assay.cluster import Cluster
from assay.conclusion import Facts, conclude
from assay.counted import counted
from assay.elsewhere.cluster import FarCluster
from assay.errors import UsageError
from assay.facts import keep
from assay.fault import STRIKING, Needs, called
from assay.history import History
from assay.inventory import Inventory, taken
from assay.launch import starter
from assay.on_signal import on_signal
from assay.progress import Progress
from assay.report import Report
from assay.scaling import Scaling, Target, shutdowns
from assay.selection import Selection
from assay.settings import Settings
from assay.verdict import Result

SWARM = "swarm"
#: what every broker and configuration can be held to: these end workers, or stop them in an orderly way
USUAL = ("SIGKILL child", "SIGKILL main", "SIGKILL group", "SIGTERM", "SIGTERM, then SIGKILL", "connection reset")
#: besides these, what a swarm takes a part of, where it can strike
MORE = (
    "SIGSTOP past visibility",
    "results away",
    "rolling restart",
    "scaled to none",
    "crash burst",
    "recycling storm",
)
Drawn = Callable[[Bench], ChaosScript]


def chaos(settings: Settings, drawn: Drawn, progress: Progress, *, duration_s: float = float("inf")) -> Report:
    """Run a script that is drawn for the app, or given. Raises UsageError and HarnessError as `run` does."""
    clock = time.monotonic()
    with bench(settings, progress, called={}) as it:
        script = drawn(it)
        must_be_possible(it, script)
        settings.out.mkdir(parents=True, exist_ok=True)
        write(script, settings.out / NAME)
        facts = facts_of(settings, it, script)
        keep(facts, settings.out)
        it.subject.redirected += other_kind(it.subject, it.broker.name)
        for note in it.subject.redirected + it.subject.warnings + facts.notes:
            progress.note(note)
        performed = perform(it, script, settings.out, facts.demanded, progress, duration_s, stoppable=True)
    return finished(facts, performed, settings.out, time.monotonic() - clock)


class Performed(NamedTuple):
    """What came of a script, what the user should know of its faults, and what of its events was judged."""

    results: list[Result]
    notes: list[str]
    events: Inventory


def perform(
    it: Bench,
    script: ChaosScript,
    out: Path,
    demanded: str,
    progress: Progress,
    duration_s: float = float("inf"),
    *,
    stoppable: bool = False,
) -> Performed:
    """Run the script on a bench and judge what was recorded in `out`."""
    settings, subject = it.settings, it.subject
    queues = {subject.task(name).queue for name in script.workload.tasks} - {""}
    usual = list(settings.queues) or subject.queues
    given = [] if queues <= set(usual) and not settings.queues else sorted({*usual, *queues})
    folder = out / judging.FOLDER
    folder.mkdir()
    notes: list[str] = []
    far: FarCluster | None = None
    apart = any(Needs.RESULTS in STRIKING[strike.fault].needs for strike in script.faults)
    with it.part(folder, judging.FOLDER) as (db, broke):
        with (
            it.own_results(apart and breakable_results(it) == "server", out.name) as results,
            _cluster(it, script, folder, db, results) as cluster,
        ):
            far = cluster if isinstance(cluster, FarCluster) else None
            if far:
                far.needs(script.workload.tasks)
            campaign = Campaign(cluster, script, given, progress)
            with ended_early(campaign, progress) if stoppable else contextlib.nullcontext():
                campaign.run(time.monotonic() + duration_s)
            notes = campaign.told()
            campaign.must_have_published()
    if far:
        notes += far.told()
        elsewhere.keep(folder, far.offsets(), far.doubts())
    for error in broke:
        (folder / judging.ERROR).write_text(error)
    history = History(folder)
    judged = judging.judge_history(subject, script, demanded, history)
    return Performed(judged, notes, history.inventory)


def _cluster(it: Bench, script: ChaosScript, folder: Path, db: int, results: OwnBroker | None) -> Cluster:
    """With workers of the run's own, or with those that others run."""
    settings = it.settings
    args = it.zygote, it.broker, folder, it.supervisor.folder, db
    options: dict[str, Any] = {
        "pool": it.pool,
        "concurrency": script.concurrency,
        "scaled": _scaling(it, script).redirection,
        "keeps": keeps,
        "results": results,
    }
    if settings.workers:
        if it.subject.result_backend == "django-db":
            raise UsageError(
                f"{it.subject.app} stores results in its database, which is another one where its workers are: what "
                "they store cannot be read from here. For this run give it a result_backend that both sides reach"
            )
        return FarCluster(*args, workers=settings.workers, spawn=it.supervisor.spawn, **options)
    return Cluster(*args, start=starter(settings, it.supervisor), **options)


def finished(facts: Facts, performed: Performed, out: Path, duration_s: float) -> Report:
    """The report of a run in `out`, whose facts are kept once more with what is known at its end."""
    facts.notes += performed.notes
    facts.duration_s = duration_s
    facts.events = performed.events
    facts.files = taken(out, NAME, f"{judging.FOLDER}/{judging.ERROR}", f"{judging.FOLDER}/{elsewhere.NAME}")
    keep(facts, out)
    return conclude(facts, performed.results)


@contextlib.contextmanager
def ended_early(campaign: Campaign, progress: Progress) -> Iterator[None]:
    """The first Ctrl-C ends the faults, and what was seen is judged; the second one is as usual."""

    def stop(number: int, frame: object) -> None:
        if campaign.stopping:
            raise KeyboardInterrupt
        campaign.stopping = True
        progress.note("no more faults: healing, draining and judging; Ctrl-C again ends the run at once")

    with on_signal(signal.SIGINT, stop):
        yield


def facts_of(settings: Settings, it: Bench, script: ChaosScript) -> Facts:
    """What the run is, before it begins."""
    subject = it.subject
    members = {name: [name] for name in script.workload.tasks}
    facts = Facts.of(subject, it.broker.name, it.broker.version(), it.pool, settings, members)
    facts.scaled = scaled([_scaling(it, script)], subject, it.pool, it.broker.name)
    facts.demanded = settings.delivery if settings.delivery != "inferred" else "at_least_once"
    facts.elsewhere = settings.workers is not None
    if barred := [fault for fault in STRIKING if out_of_reach(settings, fault)]:
        facts.notes.append(f"not available on other machines: {'; '.join(barred)}")
    kinds = sorted({strike.fault for strike in script.faults})
    faults = f"{counted(len(script.faults), 'fault')} to land ({'; '.join(kinds)})" if kinds else "no fault drawn"
    facts.notes.append(
        f"chaos: seed {script.seed}, {counted(len(script.workload.numbers), 'invocation')}, {faults}, "
        f"{counted(script.workers, 'worker')} of {counted(script.concurrency, 'slot')}"
    )
    return facts


def _scaling(it: Bench, script: ChaosScript) -> Scaling:
    """That of the task with the longest retry delay holds for all."""
    targets = [Target(it.subject, it.subject.task(name), it.pool) for name in script.workload.tasks]
    return max((shutdowns(target) for target in targets), key=lambda scaling: scaling.countdown)


def draw_script(
    it: Bench,
    selection: Selection,
    *,
    seed: int,
    number: int,
    workers: int,
    concurrency: int,
    faults: str,
    intensity: float,
    rate: float = 0.0,
) -> ChaosScript:
    """The script of a seed. `faults` are names with commas between them, or `swarm`. Raises UsageError."""
    tasks = tuple(selection.pick_tasks([task.name for task in it.subject.tasks]))
    workload = Workload(tasks=tasks, number=number, rate=rate)
    swarm = faults == SWARM
    kinds = draw.choose(
        seed, chosen(faults) if faults and not swarm else possible(it, USUAL + MORE * swarm), swarm=swarm
    )
    strikes = draw.strikes(seed, workload, kinds, intensity)
    return ChaosScript(seed=seed, workers=workers, concurrency=concurrency, workload=workload, faults=strikes)


def chosen(faults: str) -> list[str]:
    """The faults that a command line names. Raises UsageError for one that there is not."""
    return [
        called(slug.strip(), f"there is {SWARM}, or names with commas between them of") for slug in faults.split(",")
    ]
