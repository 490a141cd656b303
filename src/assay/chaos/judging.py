"""What became of a chaos run: a row for each task and kind of fault, for what was not struck, and for the end. Pure."""

from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec

from assay.celery_findings import BEYOND
from assay.chaos import bounds, elsewhere
from assay.chaos.in_broker import InBroker
from assay.chaos.script import ChaosScript
from assay.chaos.taken_over import TakenOver
from assay.checker import Checker, conclude, judged
from assay.checkers import Delivery, Evidence, FinalState, Liveness, Published, Reached, Stops, publishing
from assay.contract import delivery
from assay.event import Event, Kind
from assay.fault import BROKER_EMPTIED, BURSTS, STOPPING, STRIKING, Needs, named
from assay.fold import ENDING
from assay.history import History
from assay.inventory import Inventory
from assay.subject import Subject
from assay.verdict import CHAOS, Judgement, Outcome, Result, Verdict

FOLDER = "chaos"
ERROR = "error.txt"
WITHIN_S = 10.0
NOT_STRUCK, FRESH, RECEIVED, WORKERS = "not_struck", "fresh_tasks", "messages_reach_workers", "workers_stop"
PUBLISHED = "published"
#: what a chaos run asks of the workers, of no task's settings: {row: (claim, promise)}
ASKED = {
    FRESH: ("new tasks run", "when all is healed new tasks run, and no worker has ended by itself"),
    RECEIVED: ("messages reach workers", "a message that is taken from its queue is known to a worker"),
    WORKERS: ("workers stop", "a worker that is told to stop ends, once nothing runs in it"),
}
NO_FAULT = "no fault was drawn, so nothing was put to the test: raise --tasks or --intensity, or take another --seed"
PERSIST = (
    "no setting of the app: a broker that keeps its data (Redis: appendonly yes; RabbitMQ: durable queues), or a "
    "publisher that notes what it has sent and sends again what was never done"
)
NOT_IN_ORDER = "the machines' clocks are not known finely enough to say what came first"
REFUSED = 20  # that are kept of a task: the first one tells what they all do


def names() -> list[str]:
    """Of all rows that a chaos run may have, as `known` names them."""
    rows = [_slug(fault) for fault in STRIKING] + [NOT_STRUCK, *bounds.ROWS, PUBLISHED, FRESH, RECEIVED, WORKERS]
    return [f"{CHAOS}.{row}" for row in rows]


def _slug(fault: str) -> str:
    return named(fault).replace("-", "_")


class Seen:
    """What of a history says which rows there are."""

    def __init__(self, history: Iterable[Event]) -> None:
        self.struck: dict[tuple[str, str], list[str]] = defaultdict(list)  # (fault, task) -> invocations
        self.injected: Counter[tuple[str, str]] = Counter()
        self.landed: Counter[tuple[str, str]] = Counter()
        self.tasks: list[str] = []
        self.burst: set[str] = set()  # invocations that are a fault themselves, whether it landed or not
        self.refused: dict[str, list[str]] = defaultdict(list)  # task -> some of what could not be published
        self.refusals: dict[str, str] = {}  # task -> why its first one could not be
        self.finished = False  # the final read was made
        self.settled: bool | None = None
        self.quiet = False  # where it has not settled: nothing happened any more
        #: after the last fault, by task, the last two: those are the fresh ones
        published: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=2))
        open_: dict[str, str] = {}  # invocation that was struck and has not ended since -> worker
        taken: set[str] = set()  # those whose worker another fault killed then: their end is its doing
        taken_over, in_broker = TakenOver(), InBroker()
        for event in history:
            taken_over.hear(event)
            in_broker.hear(event)
            if event.kind is Kind.FAULT_INJECTED:
                self.injected[str(event.detail["fault"]), event.task] += 1
                if event.detail["fault"] in BURSTS:
                    self.burst.add(event.invocation)
            elif event.kind is Kind.FAULT_LANDED:
                key = str(event.detail["fault"]), event.task
                self.landed[key] += 1
                self.struck[key].append(event.invocation)
                if event.detail.get("signal") == "SIGKILL" and not STRIKING[key[0]].takes_child:
                    taken.update(each for each, worker in open_.items() if worker == event.worker)
                if event.detail.get("signal") not in ENDING:
                    open_[event.invocation] = event.worker
                published.clear()
            elif event.kind is Kind.ATTEMPT_ENDED:
                open_.pop(event.invocation, None)
            elif event.kind is Kind.FINAL_UNACKED:
                self.finished = True
            elif event.kind in (Kind.SETTLED, Kind.UNSETTLED):
                self.settled = event.kind is Kind.SETTLED
                self.quiet = bool(event.detail.get("quiet"))
            elif event.kind is Kind.PUBLISH_FAILED:
                self.refused[event.task] += [event.invocation] * (len(self.refused[event.task]) < REFUSED)
                self.refusals.setdefault(event.task, str(event.detail.get("error") or ""))
            elif event.kind is Kind.PUBLISHED:
                published[event.task].append(event.invocation)
                if event.task not in self.tasks:
                    self.tasks.append(event.task)
        for key, ids in self.struck.items():
            self.struck[key] = [each for each in ids if each not in taken] or ids
        self.emptied = [each for ids in in_broker.emptied.values() for each in ids]
        further = taken_over.by | {(BROKER_EMPTIED, task): ids for task, ids in in_broker.emptied.items()}
        for (fault, task), ids in further.items():
            if self.times(self.landed, fault):  # or its row is unknown
                self.struck[fault, task] = list(dict.fromkeys([*self.struck[fault, task], *ids]))
        self.fresh = {task: list(ids) for task, ids in published.items()}

    @staticmethod
    def times(counts: "Counter[tuple[str, str]]", fault: str, task: str = "") -> int:
        """How often at this task; at any, where it was at none: then it has done something to this one from there."""
        return counts[fault, task] or sum(number for (name, _), number in counts.items() if name == fault)

    @property
    def hit(self) -> list[str]:
        """What is not simply under load."""
        return sorted(self.burst.union(*self.struck.values()))


def judge(
    subject: Subject, script: ChaosScript, demanded: str, folder: Path, due: Inventory | None = None
) -> list[Result]:
    """What became of the run in `folder`. Raises UsageError where events that are `due` are not there any more."""
    return judge_history(subject, script, demanded, History(folder / FOLDER, due))


def judge_history(subject: Subject, script: ChaosScript, demanded: str, history: History) -> list[Result]:
    """Rows in the order of tasks and faults. What kept the run from its end is an unknown row of its own.

    With workers on other machines, what their clocks' errors leave open is unknown too.
    """
    path = history.folder / ERROR
    error = path.read_text() if path.exists() else ""
    rows = _rows(subject, script, demanded, history, error)
    far = elsewhere.read(history.folder)
    for by_ns in far.shifts():
        others = {_key(row): row for row in _rows(subject, script, demanded, elsewhere.shifted(history, by_ns), error)}
        rows = [row if _same(row, others.get(_key(row))) else _doubt(row, NOT_IN_ORDER) for row in rows]
    return [_doubt(row, far.doubts[0]) for row in rows] if far.doubts else rows


def _key(row: Result) -> tuple[str, str]:
    return row.scenario, row.task


def _same(row: Result, other: Result | None) -> bool:
    return other is not None and (row.verdict, row.outcome) == (other.verdict, other.outcome)


def _rows(
    subject: Subject, script: ChaosScript, demanded: str, history: Collection[Event] | History, error: str
) -> list[Result]:
    seen = Seen(history)
    rows: list[tuple[Result, list[Checker]]] = []
    for task in sorted(set(seen.tasks), key=lambda name: (-(subject.task(name).contract.importance or 0), name)):
        for fault, _ in [key for key in sorted(seen.struck) if key[1] == task]:
            rows.append(_struck(subject, task, fault, seen, demanded))
        rows.append(_others(subject, task, seen, demanded))
        rows += _bounded(subject, task, seen)
    for task, refused in sorted(seen.refused.items()):
        rows.append((_refused(subject, task, seen.refusals[task]), [Published(ids=refused)]))
    for fault in sorted({strike.fault for strike in script.faults} - {fault for fault, _ in seen.struck}):
        injected = seen.times(seen.injected, fault)
        rows.append((_row(_slug(fault), "*", fault, injected=injected), [Evidence(of=fault, in_flight=False)]))
    if script.faults:
        ids = [each for fresh in seen.fresh.values() for each in fresh]
        row = _asked(FRESH, "all of them", landed=seen.landed.total(), injected=seen.injected.total())
        rows.append((row, [Liveness(ids=ids, within_s=WITHIN_S), Evidence(landed=1, in_flight=False)]))
    rows.append((_beyond(_asked(RECEIVED, "all of them")), [Reached(besides=seen.emptied)]))
    if any(fault in STOPPING for fault, _ in seen.struck):
        told = sum(number for (fault, _), number in seen.landed.items() if fault in STOPPING)
        stops = _asked(WORKERS, " or ".join(STOPPING), landed=told, injected=told)
        rows.append((_beyond(stops), [Stops()]))
    judgements, _ = judged([checker for _, checkers in rows for checker in checkers], history)
    results, at = [], 0
    for row, checkers in rows:
        results.append(_doubted(_concluded(row, judgements[at : at + len(checkers)]), seen))
        at += len(checkers)
    if not script.faults:
        results.append(_concluded(_row("run", "*", "none"), [Judgement("harness", Verdict.UNKNOWN, NO_FAULT)]))
    if error or not seen.tasks:
        said = error or "nothing was published"
        broken = Judgement("harness", Verdict.UNKNOWN, said)
        results.append(_concluded(_row("run", "*", "none"), [broken]))
    return results


def numbers(folder: Path, script: ChaosScript) -> dict[str, int]:
    """{invocation: which of the workload it is}, from the order in which the client was asked to publish them."""
    asked, burst = list[tuple[int, str]](), set[str]()
    for event in History(folder / FOLDER):
        if event.kind in (Kind.PUBLISHED, Kind.PUBLISH_FAILED, Kind.PUBLISH_IN_DOUBT):
            asked.append((int(event.detail.get("asked_at_ns", event.at_ns)), event.invocation))
        elif event.kind is Kind.FAULT_INJECTED and event.detail["fault"] in BURSTS:
            burst.add(event.invocation)  # more than the workload has
    asked = sorted(each for each in asked if each[1] not in burst)
    return dict(zip((invocation for _, invocation in asked), script.workload.numbers, strict=False))


def _struck(subject: Subject, task: str, fault: str, seen: Seen, demanded: str) -> tuple[Result, list[Checker]]:
    found = _demanded(subject, task, demanded, child_lost=STRIKING[fault].takes_child)
    key = fault, task
    landed, injected = (seen.times(counts, fault, task) for counts in (seen.landed, seen.injected))
    row = _row(_slug(fault), task, fault, landed=landed, injected=injected)
    row = _claims(row, found, subject, task)
    emptied = fault == BROKER_EMPTIED  # what it had in its queues is lost by that fault, though no worker received it
    if emptied:
        row = msgspec.structs.replace(row, remedy=PERSIST)
    checkers: list[Checker] = [Delivery(contract=found.delivery, ids=seen.struck[key], received=not emptied)]
    if Needs.RESULTS in STRIKING[fault].needs:  # what is struck succeeds in the end
        checkers.append(FinalState(ids=seen.struck[key], states=["SUCCESS"]))
    return row, checkers


def _others(subject: Subject, task: str, seen: Seen, demanded: str) -> tuple[Result, list[Checker]]:
    """What was in flight elsewhere in a worker that a fault took is among them, and what nothing came near."""
    near = any(not STRIKING[fault].takes_child for fault, _ in seen.struck)
    found = _demanded(subject, task, demanded, child_lost=False)
    if not near and found.delivery == "any":
        found = msgspec.structs.replace(found, delivery="at_least_once", promise="nothing else is lost")
    row = _claims(_row(NOT_STRUCK, task, "none (under load)"), found, subject, task)
    return row, [Delivery(contract=found.delivery, task=task, besides=seen.hit, received=True)]


def _bounded(subject: Subject, task: str, seen: Seen) -> list[tuple[Result, list[Checker]]]:
    """What the task's contract bounds, of all that was struck of it."""
    struck = {fault: ids for (fault, name), ids in seen.struck.items() if name == task}
    return [
        (
            msgspec.structs.replace(
                _row(each.row, task, " or ".join(sorted(struck))),
                claim=each.claim,
                promise=each.promise,
                place=subject.place_of(each.claim, subject.task(task)),
            ),
            [each.checker],
        )
        for each in bounds.bounds(subject, task, struck)
    ]


def _refused(subject: Subject, task: str, why: str) -> Result:
    return msgspec.structs.replace(
        _row(PUBLISHED, task, "none (under load)"),
        claim="publishing",
        promise="each message of the task can be published",
        remedy=subject.worded(publishing.remedy(why, subject.task(task))),
        place=subject.task(task).place,
    )


def _asked(scenario: str, fault: str, *, landed: int = 0, injected: int = 0) -> Result:
    claim, promise = ASKED[scenario]
    row = _row(scenario, "*", fault, landed=landed, injected=injected)
    return msgspec.structs.replace(row, claim=claim, promise=promise)


def _beyond(row: Result) -> Result:
    return msgspec.structs.replace(row, remedy=BEYOND)


def _demanded(subject: Subject, task: str, demanded: str, *, child_lost: bool) -> delivery.Contract:
    return delivery.of(subject.task(task), subject, demanded, child_lost=child_lost)


def _claims(row: Result, found: delivery.Contract, subject: Subject, task: str) -> Result:
    return msgspec.structs.replace(
        row,
        claim=subject.claim(found.setting) if found.setting else "",
        promise=found.promise,
        remedy=subject.worded(found.remedy),
        place=subject.place_of(found.setting, subject.task(task)),
    )


def _row(scenario: str, task: str, fault: str, *, landed: int = 0, injected: int = 0) -> Result:
    return Result(
        suite=CHAOS,
        scenario=scenario,
        task=task,
        members=[task],
        fault=fault,
        verdict=Verdict.UNKNOWN,
        landed=landed,
        injected=injected,
        folder=FOLDER,
    )


def _doubted(row: Result, seen: Seen) -> Result:
    """What a run that did not come to its end has not seen may yet have happened; what it has seen has happened."""
    if row.verdict is Verdict.VIOLATED and (row.outcome is Outcome.DUPLICATED or row.scenario == PUBLISHED):
        return row
    if not seen.finished:
        why = "the run was broken off before its end"
    elif _may_go_on(row, seen):
        why = "the run did not settle"
    else:
        return row
    return _doubt(row, why)


def _doubt(row: Result, why: str) -> Result:
    doubt = Judgement("harness", Verdict.UNKNOWN, f"{why}, so it is not known: {row.reason}")
    return msgspec.structs.replace(
        row, verdict=Verdict.UNKNOWN, reason=doubt.reason, remedy="", judgements=[*row.judgements, doubt]
    )


def _may_go_on(row: Result, seen: Seen) -> bool:
    """Whether what is called stuck may only be slow."""
    stuck = row.verdict is Verdict.VIOLATED and row.outcome is Outcome.STUCK and row.scenario != WORKERS
    return stuck and seen.settled is False and not seen.quiet


def _concluded(row: Result, judgements: list[Judgement]) -> Result:
    verdict, outcome, recovery_s, reason = conclude(judgements)
    remedy = row.remedy if verdict is Verdict.VIOLATED else ""
    if outcome in (Outcome.LOST, Outcome.STUCK, Outcome.FAILED, Outcome.REVOKED):
        recovery_s = None  # of others in the same row
    return msgspec.structs.replace(
        row,
        verdict=verdict,
        outcome=outcome,
        recovery_s=recovery_s,
        reason=reason,
        judgements=judgements,
        remedy=remedy,
    )
