"""The checkers of canvases against a canvas that is played through by hand, whatever fails or vanishes in it."""

from collections.abc import Sequence
from random import Random
from typing import Literal, get_args

from histories import At, acked, attempt, event, killed, published, received, result, settled, started, story
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.canvas import Canvas, Chain, Chord, Group, Part, after, ends, parts
from assay.checker import check
from assay.checkers import Order, Whole
from assay.checkers.canvas import Due
from assay.event import Kind
from assay.verdict import Verdict

Fate = Literal["returns", "raises", "vanishes"]
FATES = ("returns",) * 6 + ("raises", "vanishes")


class Play:
    """What Celery does with a canvas: parts are published, run, and their results are stored or not."""

    def __init__(self, rnd: Random) -> None:
        self._rnd = rnd
        self.events: list[At] = []
        self.results: dict[str, str] = {}
        self.fates: dict[str, Fate] = {}

    def run(self, canvas: Canvas) -> Fate:
        match canvas:
            case Part():
                return self._part(canvas)
            case Group(members):
                return self._all(members)
            case Chord(header, body):
                fate = self._all(header)
                return self.run(body) if fate == "returns" else self._stop(fate, [body])
        steps = list(canvas.steps)
        while steps:
            fate = self.run(steps.pop(0))
            if fate != "returns":
                return self._stop(fate, steps)
        return "returns"

    def _all(self, members: Sequence[Canvas]) -> Fate:
        fates = [self.run(each) for each in members]
        return "vanishes" if "vanishes" in fates else "raises" if "raises" in fates else "returns"

    def _stop(self, fate: Fate, rest: Sequence[Canvas]) -> Fate:
        """Celery stores a failure for what is not published any more, where it knows of one."""
        for each in (part for canvas in rest for part in parts(canvas)):
            self.results[each.id] = "FAILURE" if fate == "raises" else "PENDING"
        return fate

    def _part(self, part: Part) -> Fate:
        fate = self.fates[part.id] = self._rnd.choice(FATES)  # type: ignore[assignment]
        here = part.id
        self.events += [published(here) if not self.events else event(Kind.SENT, here, retries=0), received(here)]
        match fate:
            case "returns":
                self.events += [*attempt(here), acked(here)]
            case "raises":
                self.events += [*attempt(here, raised="PlannedFailure"), acked(here)]
            case "vanishes":
                self.events += [acked(here), *started(here), *killed(invocation=here)]
        self.results[here] = {"returns": "SUCCESS", "raises": "FAILURE", "vanishes": "STARTED"}[fate]
        return fate


def canvas(rnd: Random, depth: int, names: list[str]) -> Canvas:
    def some(least: int) -> tuple[Canvas, ...]:
        return tuple(canvas(rnd, depth - 1, names) for _ in range(rnd.randint(least, 3)))

    kind = rnd.choice(("part", "chain", "group", "chord")) if depth else "part"
    match kind:
        case "chain":
            return Chain(some(2))
        case "group":
            return Group(some(1))
        case "chord":
            return Chord(some(1), canvas(rnd, depth - 1, names))
    names.append(f"p{len(names)}")
    return Part("shop.charge", names[-1])


@settings(deadline=None)
@given(seed=st.integers(0, 2**32), due=st.sampled_from(get_args(Due)))
def test_the_whole_is_judged_as_it_went(seed: int, due: Due) -> None:
    rnd = Random(seed)
    whole = canvas(rnd, 3, [])
    play = Play(rnd)
    fate = play.run(whole)
    told = [play.results[end] for end in ends(whole)]
    history = story(*play.events, settled(), *(result(state, each) for each, state in play.results.items()))
    (judged,) = check([Whole(due=due, ids=[each.id for each in parts(whole)], ends=ends(whole))], history)

    hangs = not set(told) <= {"SUCCESS", "FAILURE"}
    right = {"completion": fate == "returns", "failure": not hangs and "FAILURE" in told, "end": not hangs, "any": True}
    assert judged.verdict is (Verdict.HELD if right[due] else Verdict.VIOLATED), (whole, told, judged.reason)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32))
def test_what_comes_after_a_part_runs_only_when_it_has_succeeded(seed: int) -> None:
    rnd = Random(seed)
    whole = canvas(rnd, 3, [])
    play = Play(rnd)
    play.run(whole)
    later = {each.id: [one.id for one in after(whole, each)] for each in parts(whole)}
    before = {each: [one for one in later if each in later[one]] for each in later}
    order = Order(ids=list(later), before=before)

    assert check([order], story(*play.events))[0].verdict is Verdict.HELD
    assert not [
        each for one, fate in play.fates.items() if fate != "returns" for each in later[one] if each in play.fates
    ]
    begun = next((each for each in play.fates if before[each]), None)
    if begun:  # the same, had it begun by itself
        early = story(published(begun), *attempt(begun, 2), *play.events)
        assert check([order], early)[0].verdict is Verdict.VIOLATED
