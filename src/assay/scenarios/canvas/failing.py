"""A part of a canvas fails by itself, at each place, beside canvases in which nothing does."""

from collections.abc import Iterable

from assay.canvas import Canvas, Chain, Chord, Group, Part
from assay.scaling import Target
from assay.scenario import EVERY_POOL, scenario
from assay.scenarios.canvas.composing import (
    FAILS,
    PROMISE,
    callback,
    chain,
    chords,
    demand_completion,
    demand_failure,
    fails_at_last,
    part,
    raised,
)
from assay.scenarios.retries.policy import gives_up_at_last
from assay.script import Act, Hold
from assay.stage import Stage

TRANSIENT = Act(ends="raise", error="transient")
OK = (Act(),)


def and_chords(target: Target) -> bool:
    return fails_at_last(target) and chords(target)


def fail(stage: Stage, *failing: Part) -> None:
    """The faults have landed when each of these has raised, and then all comes to its end."""
    for each in failing:
        stage.lands(each.id, raised)
    stage.settle()


@scenario("canvas", fault="another error", when=fails_at_last, pools=EVERY_POOL, weight_s=2.0)
def chain_fails(stage: Stage) -> None:
    """The first, middle or last link of a chain fails: those after it never run, the errback is told once."""
    stage.claims("chain", PROMISE)
    stage.worker()
    whole = chain(stage, OK, OK, OK)
    broken = [chain(stage, *[(FAILS,) if number == at else OK for number in range(3)]) for at in range(3)]
    failing = [each.steps[at] for at, each in enumerate(broken)]
    stage.publish_canvas(whole, *broken)
    fail(stage, *failing)  # type: ignore[arg-type]
    demand_completion(stage, whole)
    for each, one in zip(broken, failing, strict=True):
        assert isinstance(one, Part)
        demand_failure(stage, each, one, one.link_error)


@scenario("canvas", fault="another error", when=fails_at_last, pools=EVERY_POOL, weight_s=2.0)
def group_fails(stage: Stage) -> None:
    """A member of a group fails, or a link of a chain in it: the others are done, its errback is told once."""
    stage.claims("group", PROMISE)
    stage.worker()
    plain = Group(tuple(part(stage, link=[callback(stage)]) for _ in range(3)))
    forked = Chain((part(stage), Group((part(stage), chain(stage, OK, OK)))))
    member = part(stage, FAILS, link=[callback(stage)], error=[callback(stage)])
    broken = Group((part(stage, link=[callback(stage)]), member, part(stage, error=[callback(stage)])))
    link = part(stage, FAILS, error=[callback(stage)])
    broken_chain = Group((Chain((link, part(stage))), chain(stage, OK, OK)))
    stage.publish_canvas(plain, forked, broken, broken_chain)
    fail(stage, member, link)
    for each in (plain, forked):
        demand_completion(stage, each)
    demand_failure(stage, broken, member, member.link_error)
    demand_failure(stage, broken_chain, link, link.link_error)


@scenario("canvas", fault="another error", when=and_chords, pools=EVERY_POOL, weight_s=2.0)
def chord_fails(stage: Stage) -> None:
    """A member of a chord's header fails, or its body: a body whose header fails never runs, its errback is told."""
    stage.claims("chord", PROMISE)
    stage.worker()

    def body(*acts: Act) -> Part:
        return part(stage, *acts, link=[callback(stage)], error=[callback(stage)])

    whole = Chord((part(stage), part(stage), part(stage)), body())
    member, failing_body = part(stage, FAILS), body(FAILS)
    told = body()
    broken = Chord((part(stage), member, part(stage)), told)
    broken_body = Chord((part(stage), part(stage)), failing_body)
    stage.publish_canvas(whole, broken, broken_body)
    fail(stage, member, failing_body)
    demand_completion(stage, whole)
    demand_failure(stage, broken, member, told.link_error)
    demand_failure(stage, broken_body, failing_body, failing_body.link_error)


@scenario("canvas", fault="another error", when=and_chords, pools=EVERY_POOL, weight_s=3.0)
def nested_fails(stage: Stage) -> None:
    """A chord in a chain, a chain in a chord, a group that becomes a chord, complete or with a part that fails."""
    stage.claims("chord in a chain", PROMISE)
    stage.worker()
    inner = Chain((part(stage), Chord((part(stage), part(stage)), part(stage)), part(stage, link=[callback(stage)])))
    upgraded = Chain((Group((part(stage), part(stage))), part(stage), part(stage, link=[callback(stage)])))
    headed = Chord((Chain((part(stage), part(stage))), part(stage)), part(stage, link=[callback(stage)]))
    first, second, third = (part(stage, FAILS) for _ in range(3))
    told = [callback(stage) for _ in range(2)]
    broken = [
        Chain((Chord((first, part(stage)), part(stage)), part(stage))),
        Chain((Group((part(stage), second)), part(stage, error=[told[0]]))),
        Chord((Chain((third, part(stage))), part(stage)), part(stage, error=[told[1]])),
    ]
    stage.publish_canvas(inner, upgraded, headed, *broken)  # type: ignore[arg-type]
    fail(stage, first, second, third)
    for each in (inner, upgraded, headed):
        demand_completion(stage, each)
    # not of a body that is followed by another link: whether its errback is told of the header differs by release
    for canvas, one, errbacks in zip(broken, (first, second, third), ([], told[:1], told[1:]), strict=True):
        demand_failure(stage, canvas, one, errbacks)  # type: ignore[arg-type]


def replaced(
    stage: Stage, *then: Act, holds: Iterable[Hold] = (), link: Iterable[Part] = (), error: Iterable[Part] = ()
) -> Part:
    """A part that replaces itself: the replacement has its id, so it is its second start, and does what comes then."""
    given = stage.arguments(stage.task.name, slow=False)
    by = Part(stage.task.name, "", given.get("args", []), given.get("kwargs", {}))
    return part(stage, Act(ends="replace", by=by), *(then or OK), holds=holds, link=link, error=error)


@scenario("canvas", fault="another error", when=fails_at_last, pools=EVERY_POOL, weight_s=2.0)
def replaced_fails(stage: Stage) -> None:
    """A task replaces itself, alone, in a chain or in a chord: the rest goes on once, or fails with the replacement."""
    stage.claims("Task.replace()", PROMISE)
    stage.worker()
    link, member, body = replaced(stage), replaced(stage), replaced(stage, link=[callback(stage)])
    alone = replaced(stage, link=[callback(stage)], error=[callback(stage)])
    failing = replaced(stage, FAILS, error=[callback(stage)])
    whole = Chain((part(stage), link, part(stage, link=[callback(stage)])))
    broken = Chain((part(stage), failing, part(stage)))
    sound: list[Canvas] = [alone, whole, *[Chord((part(stage), member), body)] * chords(stage.target)]
    stage.publish_canvas(*sound, broken)
    fail(stage, failing)
    for each in sound:
        demand_completion(stage, each, alone, link, member, body)
    demand_failure(stage, broken, failing, failing.link_error)


@scenario("canvas", fault="transient error", when=gives_up_at_last, pools=EVERY_POOL, weight_s=3.0)
def callbacks_after_retries(stage: Stage) -> None:
    """A task that retries: its link is called once, when it succeeds at last, its errback once, when it gives up."""
    stage.claims("link and link_error", PROMISE)
    stage.worker()
    recovers = part(stage, TRANSIENT, Act(), link=[callback(stage)], error=[callback(stage)])
    gives_up = part(stage, TRANSIENT, link=[callback(stage)], error=[callback(stage)])
    stage.publish_canvas(recovers, gives_up)
    fail(stage, recovers, gives_up)
    demand_failure(stage, gives_up, gives_up, gives_up.link_error)
    demand_completion(stage, recovers, recovers)
