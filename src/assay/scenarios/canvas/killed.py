"""The process of a part of a canvas is killed, at each place: what comes after it must not be lost."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from assay.canvas import Canvas, Chain, Chord, Group, Part
from assay.celery_findings import PAGE
from assay.checkers import Evidence
from assay.contract.delivery import Contract
from assay.event import Kind, Point
from assay.scaling import Target
from assay.scenario import always, scenario
from assay.scenarios.canvas.composing import callback, chain, chords, demand_recovery, part
from assay.scenarios.canvas.failing import replaced
from assay.script import Act, Hold
from assay.stage import Stage
from assay.worker import Worker

OK = (Act(),)
MIDDLE = Point.BODY_MIDDLE
WAIT_S = 20.0


@dataclass(frozen=True)
class Made:
    """`victims` stand at the point, one after the other; `beside` stands in its body until they are over."""

    canvases: tuple[Canvas, ...]
    victims: tuple[Part, ...]
    beside: Part | None = None

    @property
    def standing(self) -> list[str]:
        return [each.id for each in (*self.victims, self.beside) if each]


Make = Callable[[Stage, Point], Made]
Mends = Callable[[Target, str], str]  # what mends a row, given what mends one of the task's contract

COUNTED = "Celery counts no part of a chord whose process dies between storing its result and counting it"
FINDS_SUCCESS = (5, 7)  # from then on main acknowledges what has stored SUCCESS: celery/worker/request.py, on_failure
UNCOUNTED = (
    f"no setting of the app mends it, task_acks_late=True neither: {COUNTED} ({PAGE}); what you accept of it, list "
    "under `known`"
)
DEDUPLICATED = f"leave worker_deduplicate_successful_tasks off: with it {COUNTED} ({PAGE})"


def as_contract(target: Target, remedy: str) -> str:
    return remedy


def counts(target: Target, remedy: str) -> str:
    """Source: celery/app/trace.py, build_tracer, and celery/backends/base.py, mark_as_done."""
    if target.subject.celery >= FINDS_SUCCESS:
        return UNCOUNTED
    return counts_again(target, remedy)


def counts_again(target: Target, remedy: str) -> str:
    """Where the message comes back: deduplication skips it, and with it the counting."""
    if not target.subject.deduplicates:
        return remedy
    return DEDUPLICATED if target.task.acks_late else f"{remedy}, and {DEDUPLICATED}"


def chains(stage: Stage, point: Point) -> Made:
    """One for each link to be killed."""
    made = [chain(stage, OK, OK, OK, hold=point, at=at) for at in range(3)]
    return Made(tuple(made), tuple(each.steps[at] for at, each in enumerate(made)))  # type: ignore[misc]


def chain_and_group(stage: Stage, point: Point) -> Made:
    member = part(stage, holds=[Hold(point)], link=[callback(stage)])
    group = Group((part(stage, link=[callback(stage)]), member, part(stage)))
    links = chains(stage, point)
    return Made((*links.canvases, group), (*links.victims, member))


def chord(stage: Stage, point: Point) -> Made:
    """A member of the header; the other member is not done before the killed one has come back."""
    victim, beside = part(stage, holds=[Hold(point)]), part(stage, holds=[Hold(MIDDLE, -1)])
    whole = Chord((victim, beside), part(stage, link=[callback(stage)], error=[callback(stage)]))
    return Made((whole,), (victim,), beside)


def chord_and_body(stage: Stage, point: Point) -> Made:
    """One chord for each to be killed."""
    member = part(stage, holds=[Hold(point)])
    body = part(stage, holds=[Hold(point)], link=[callback(stage)], error=[callback(stage)])
    header = Chord((part(stage), member), part(stage, link=[callback(stage)], error=[callback(stage)]))
    return Made((header, Chord((part(stage), part(stage)), body)), (member, body))


def nested(stage: Stage, point: Point) -> Made:
    """A chain in the header of a chord in a chain: its last link is killed in one, the chord's body in the other."""
    inner, outer = part(stage, holds=[Hold(point)]), part(stage, holds=[Hold(point)])

    def whole(last: Part, body: Part) -> Canvas:
        return Chain((part(stage), Chord((Chain((part(stage), last)), part(stage)), body), part(stage)))

    return Made((whole(inner, part(stage)), whole(part(stage), outer)), (inner, outer))


def let_go_at_last(stage: Stage, beside: Part, worker: Worker) -> None:
    """It stands again where it came back to this worker: until all else is over. It may be lost as well."""

    def stands() -> bool:
        mine = (each for each in stage.cluster.seen if each.invocation == beside.id and each.worker == worker.name)
        return any(each.kind == Kind.HELD for each in mine)

    stage.cluster.settle_but(beside.id)
    if not stage.settle(enough=stands) and stands():
        stage.hold(beside.id, MIDDLE, start=1).release()


def one_chain(stage: Stage, point: Point) -> Made:
    whole = chain(stage, OK, OK, OK, hold=point, at=1)
    return Made((whole,), (whole.steps[1],))  # type: ignore[arg-type]


def mended(stage: Stage, contract: Contract, mends: Mends) -> str:
    """What mends the row: where nothing demands that the whole completes, what the task's contract says."""
    return mends(stage.target, contract.remedy) if contract.completes else contract.remedy


def kills(make: Make, point: Point, mends: Mends) -> Callable[[Stage], None]:
    def act(stage: Stage) -> None:
        contract = stage.contract()
        stage.remedy = mended(stage, contract, mends)
        stage.worker(concurrency=2)
        made = make(stage, point)
        stage.publish_canvas(*made.canvases)
        standing = stage.hold(made.beside.id, MIDDLE) if made.beside else None
        for each in made.victims:
            stage.kill_child_at(each.id, point)
        if standing:
            stage.cluster.settle_but(standing.held.invocation)
            standing.release()
        stage.settle()
        demand_recovery(stage, contract, *made.canvases)
        stage.check(Evidence(landed=len(made.victims)))

    return act


def kills_main(make: Make, point: Point, mends: Mends) -> Callable[[Stage], None]:
    """What does not stand is over when main is killed: or it were chance what else comes back."""

    def act(stage: Stage) -> None:
        contract = stage.contract(child_lost=False)
        stage.remedy = mended(stage, contract, mends)
        worker = stage.worker(concurrency=2)
        made = make(stage, point)
        stage.publish_canvas(*made.canvases)
        held = stage.hold(made.victims[0].id, point)
        if made.beside:
            stage.hold(made.beside.id, MIDDLE)
        stage.cluster.settle_but(*made.standing)
        for each in made.standing:
            stage.acknowledged_early(each)
        stage.cluster.kill_worker(worker, held)
        after = stage.replacement(concurrency=2)
        if made.beside:
            let_go_at_last(stage, made.beside, after)
        stage.settle()
        demand_recovery(stage, contract, *made.canvases)
        stage.check(Evidence(landed=1))

    return act


@scenario("canvas", fault="SIGKILL child", weight_s=4.0)
def replaced_killed(stage: Stage) -> None:
    """A link of a chain is killed when it has published what replaces it, and before that is done."""
    contract = stage.contract()
    stage.worker(concurrency=2)
    victim = replaced(stage, holds=[Hold(Point.RETRY_SENT), Hold(MIDDLE, 1)])
    whole = Chain((part(stage), victim, part(stage, link=[callback(stage)])))
    stage.publish_canvas(whole)
    replacement = stage.hold(victim.id, MIDDLE, start=1)  # it has the same id, and is its second start
    stage.kill_child_at(victim.id, Point.RETRY_SENT)
    stage.cluster.wait(lambda: given_up(stage, victim), timeout_s=WAIT_S)
    replacement.release()
    stage.settle()
    demand_recovery(stage, contract, whole)
    stage.check(Evidence(landed=1))


def given_up(stage: Stage, victim: Part) -> bool:
    """Whether main has lost the child and, where it acknowledges late, has settled the message of it."""
    kinds = [event.kind for event in stage.cluster.seen if event.invocation == victim.id]
    lost = Kind.CHILD_LOST in kinds
    late = stage.task.acks_late
    return lost and (not late or not {Kind.ACKED, Kind.REJECTED}.isdisjoint(kinds[kinds.index(Kind.CHILD_LOST) :]))


class Kill(NamedTuple):
    make: Make
    point: Point
    doc: str
    when: Callable[[Target], bool] = always
    mends: Mends = as_contract


KILLS = {
    "chain_killed_middle": Kill(
        chain_and_group,
        MIDDLE,
        "The first, middle or last link of a chain, or a member of a group, is killed in its body.",
    ),
    "chain_killed_exit": Kill(
        chains, Point.BODY_EXIT, "A link of a chain is killed when its work is done and the next one not yet published."
    ),
    "chain_killed_next_sent": Kill(
        chains, Point.NEXT_SENT, "A link of a chain is killed when it has published the next one, or its callback."
    ),
    "chord_killed_middle": Kill(
        chord_and_body, MIDDLE, "A member of a chord's header, or the chord's body, is killed in its body.", chords
    ),
    "chord_killed_after_result": Kill(
        chord,
        Point.AFTER_RESULT,
        "A member of a chord's header is killed when its result is stored and not yet counted.",
        chords,
        counts,
    ),
    "chord_killed_after_trace": Kill(
        chord,
        Point.AFTER_TRACE,
        "A member of a chord's header is killed when it is counted and not yet reported to the main process.",
        chords,
    ),
    "nested_killed": Kill(
        nested,
        MIDDLE,
        "In a chord that is a link of a chain, a link of a chain in its header or its body is killed.",
        chords,
    ),
}
KILLS_MAIN = {
    "chain_main_killed": Kill(one_chain, MIDDLE, "The main process is killed while a link of a chain runs."),
    "chord_main_killed_after_result": Kill(
        chord,
        Point.AFTER_RESULT,
        "The main process is killed when a result of a chord's header is stored and not yet counted.",
        chords,
        counts_again,
    ),
    "chord_main_killed_after_trace": Kill(
        chord,
        Point.AFTER_TRACE,
        "The main process is killed when an end of a chord's header is counted and not yet acknowledged.",
        chords,
    ),
}
for name, kill in KILLS.items():
    scenario("canvas", name=name, fault="SIGKILL child", when=kill.when, doc=kill.doc, weight_s=4.0)(
        kills(kill.make, kill.point, kill.mends)
    )
for name, kill in KILLS_MAIN.items():
    scenario("canvas", name=name, fault="SIGKILL main", when=kill.when, doc=kill.doc, weight_s=3.0)(
        kills_main(kill.make, kill.point, kill.mends)
    )
