"""Parts of a canvas, which are invocations of the task under test, and what is demanded of the whole."""

from collections.abc import Iterable

from assay.canvas import Canvas, Chain, Part, after, bodies, ends, parts
from assay.checkers import Attempts, Callbacks, Delivery, Order, Whole
from assay.contract.delivery import Contract
from assay.event import Event, Kind, Point
from assay.scaling import Target
from assay.script import Act, Hold, Script
from assay.stage import Stage
from assay.subject import Task

FAILS = Act(ends="raise", error="plain")
PROMISE = "the whole completes or fails, each part runs as often as it should, each callback once, by its own queue"
ONCE = ("at_most_once", "effectively_once")

# -- what it can be tried on


def chords(target: Target) -> bool:
    """Whether a chord can work here: its counter and its results need a result backend, which rpc:// is none of.

    Source: celery/backends/rpc.py and base.py, ensure_chords_allowed. Where results are ignored, it depends on the
    backend whether a header's end is counted, and no setting promises it.
    """
    return target.stores_results and target.subject.result_backend != "rpc"


def fails_at_last(target: Target) -> bool:
    """Whether a body that always raises ends in a failure: some retry for any error, and for ever."""
    retried = {"Exception", "BaseException"} & set(target.task.autoretry_for)
    return not retried or target.task.max_retries is not None


# -- parts


def part(
    stage: Stage,
    *acts: Act,
    holds: Iterable[Hold] = (),
    link: Iterable[Part] = (),
    error: Iterable[Part] = (),
    of: Task | None = None,
) -> Part:
    """An invocation of the task under test (or `of` another), which Celery will publish: `acts` as in a script."""
    task = (of or stage.task).name
    script = Script(acts=acts or (Act(),), holds=tuple(holds))
    given = stage.arguments(task, slow=False)
    invocation = stage.cluster.expect(task, script)
    return Part(task, invocation, given.get("args", []), given.get("kwargs", {}), tuple(link), tuple(error))


def callback_task(stage: Stage) -> Task:
    """A task that has another queue than the one under test and that the worker consumes too, if there is one."""
    consumed = stage.usual_queues or stage.subject.queues
    others = (each for each in stage.subject.tasks if each.queue != stage.task.queue and each.queue in consumed)
    return next((each for each in others if not each.limits_refused and not each.expires), stage.task)


def callback(stage: Stage) -> Part:
    return part(stage, of=callback_task(stage))


def chain(stage: Stage, *scripts: tuple[Act, ...], hold: Point = Point.BODY_MIDDLE, at: int = -1) -> Chain:
    """A chain with a part for each script: all have one errback, the last one has a link; `at` is which one holds."""
    error, link = callback(stage), callback(stage)
    last = len(scripts) - 1
    return Chain(
        tuple(
            part(
                stage,
                *acts,
                holds=[Hold(hold)] * (number == at),
                link=[link] * (number == last),
                error=[error],
            )
            for number, acts in enumerate(scripts)
        )
    )


# -- what is demanded


def raised(event: Event) -> bool:
    return event.kind == Kind.BODY_EXITED and bool(event.detail.get("raised"))


def demand_completion(stage: Stage, canvas: Canvas, *replaced: Part) -> None:
    """Nothing fails: each part is done once, each link is called once, no errback is."""
    every = list(parts(canvas))
    stage.check(_whole(stage, "completion", canvas), *_order(canvas))
    _each_once(stage, every, replaced)
    _called(stage, _links(every), every)
    _never(stage, {"errback": _errors(every)})


def demand_failure(stage: Stage, canvas: Canvas, failing: Part, told: Iterable[Part], *replaced: Part) -> None:
    """This part fails: what comes after it never runs, these errbacks are told once, the others run once."""
    every, later = list(parts(canvas)), after(canvas, failing)
    others = [each for each in every if each != failing and each not in later]
    stage.check(_whole(stage, "failure", canvas), *_order(canvas))
    _each_once(stage, others, replaced)
    _called(stage, _links(others), others)
    _called(stage, list(told), [failing])
    silent = [each for each in _errors(every) if each not in told]
    body = bodies(canvas)
    _never(
        stage,
        {
            "a chord's body": [each for each in later if each in body],
            "the next link": [each for each in later if each not in body],
            "callback": _links([failing, *later]),
            "errback": silent,
        },
    )


def demand_recovery(stage: Stage, contract: Contract, *canvases: Canvas) -> None:
    """Parts of these were killed: what becomes of the whole is held to the delivery that the app promises."""
    delivery = contract.delivery
    for canvas in canvases:
        every = list(parts(canvas))
        stage.check(_whole(stage, "completion" if contract.completes else "any", canvas), *_order(canvas))
        stage.check(Delivery(contract=delivery, ids=[each.id for each in every]))
        if contract.completes:
            _called(stage, _links(every), every, most=1 if delivery in ONCE else None)
            _never(stage, {"errback": _errors(every)})


def _whole(stage: Stage, due: str, canvas: Canvas) -> Whole:
    ids = [each.id for each in parts(canvas)]
    keeps = stage.target.stores_results and stage.subject.result_backend != "rpc"
    return Whole(due=due, ids=ids, ends=ends(canvas), results=keeps)  # type: ignore[arg-type]


def _order(canvas: Canvas) -> list[Order]:
    before: dict[str, list[str]] = {}
    for each in parts(canvas):
        for later in after(canvas, each):
            before.setdefault(later.id, []).append(each.id)
    return [Order(ids=[each.id for each in parts(canvas)], before=before)] if before else []


def _each_once(stage: Stage, every: Iterable[Part], replaced: Iterable[Part]) -> None:
    """One attempt of each; two of one that is replaced by another in its place, of which the second does the work."""
    plain = [each.id for each in every if each not in replaced]
    twice = [each.id for each in every if each in replaced]
    if plain:
        stage.check(Attempts(ids=plain, least=1, most=1))
    if twice:
        stage.check(Attempts(ids=twice, least=2, most=2))
    if plain or twice:
        stage.check(Delivery(contract="effectively_once", ids=[*plain, *twice]))


def _links(some: Iterable[Part]) -> list[Part]:
    return [link for each in some for link in each.link]


def _errors(some: Iterable[Part]) -> list[Part]:
    return list({error.id: error for each in some for error in each.link_error}.values())


def _called(stage: Stage, callbacks: list[Part], of: list[Part], most: int | None = 1) -> None:
    owners = {
        callback.id: [each.id for each in of if callback in (*each.link, *each.link_error)] for callback in callbacks
    }
    if owners:
        queue = stage.subject.task(callbacks[0].task).queue
        stage.check(Callbacks(ids=list(owners), queue=queue, of=owners, most=most))


def _never(stage: Stage, some: dict[str, list[Part]]) -> None:
    """None of these runs: {what they are of the whole: those}."""
    names = {each.id: what for what, those in some.items() for each in those}
    if names:
        stage.check(Attempts(ids=list(names), most=0, parts=names))
