"""Checker: a pure function from a history to a Judgement. One question a file in `checkers/`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from assay.event import Event
from assay.fold import Forgets, fold
from assay.life import Life, World
from assay.verdict import Judgement, Outcome, Verdict

REASONS = 2  # of one checker in a row


class Checker(Protocol):
    """A frozen msgspec Struct with a tag, so that it is kept beside the history and an old run is judged again.

    It may have a method `forgets(life) -> bool`, asked of each plain life (`Life.plain`) when that closes: whether it
    can do without it, counted in `World.forgotten`. Without the method all lives are kept. Those of its `ids`, where it
    has any, are kept whatever it says.
    """

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """What this checker says. Raising is allowed: it counts as unknown."""


def check(checkers: Sequence[Checker], events: Iterable[Event]) -> list[Judgement]:
    """Judge one history by each checker. A checker that raises is unknown, never green (Jepsen's check-safe).

    `events` may be iterated twice; of an iterator, which cannot, all lives are kept.
    """
    return judged(checkers, events)[0]


def judged(checkers: Sequence[Checker], events: Iterable[Event]) -> tuple[list[Judgement], World]:
    """What `check` says, and the world that it was said of."""
    ids = {each for checker in checkers for names in ("ids", "besides") for each in getattr(checker, names, ())}
    lives, world = fold(events, _forgets(checkers), ids)
    published = bool(world.forgotten) or any(life.publish is not None for life in lives.values())
    judgements = []
    for checker in checkers:
        try:
            if getattr(checker, "ids", None) == [] and not published:
                judgements.append(Judgement(name(checker), Verdict.UNKNOWN, "nothing was published"))
            else:
                judgements.append(checker.judge(lives, world))
        except Exception as error:
            said = f"the checker itself failed: {type(error).__name__}: {error}"
            judgements.append(Judgement(name(checker), Verdict.UNKNOWN, said))
    return judgements, world


def _forgets(checkers: Sequence[Checker]) -> list[Forgets] | None:
    """None where one of them needs every life."""
    found: list[Forgets] = []
    for checker in checkers:
        forgets = getattr(checker, "forgets", None)
        if forgets is None:
            return None
        found.append(forgets)
    return found


def name(checker: Checker) -> str:
    """As in its judgements."""
    config = getattr(type(checker), "__struct_config__", None)
    return str(config.tag) if config else type(checker).__name__.lower()


def conclude(judgements: Sequence[Judgement]) -> tuple[Verdict, Outcome | None, float | None, str]:
    """Verdict, outcome, recovery in seconds and reason of a whole scenario: the worst judgement speaks."""
    verdict = Verdict.worst(judgement.verdict for judgement in judgements)
    speaking = [judgement for judgement in judgements if judgement.verdict is verdict]
    outcomes = [j.outcome for j in (speaking if verdict is Verdict.VIOLATED else judgements) if j.outcome is not None]
    outcomes = outcomes or [judgement.outcome for judgement in judgements if judgement.outcome is not None]
    recoveries = [judgement.recovery_s for judgement in judgements if judgement.recovery_s is not None]
    said: dict[str, list[str]] = {}
    for judgement in speaking:
        if judgement.reason and judgement.reason not in (told := said.setdefault(judgement.checker, [])):
            told.append(judgement.reason)
    reason = "; ".join(_few(reasons) for reasons in said.values() if reasons)
    return (
        verdict,
        max(outcomes, key=lambda outcome: outcome.rank, default=None),
        max(recoveries, default=None),
        reason or "nothing was checked",
    )


def _few(reasons: Sequence[str]) -> str:
    """The first ones of a checker's: a scenario may ask the same of several parts of its work."""
    more = len(reasons) - REASONS
    return "; ".join(reasons[:REASONS]) + (f" (and {more} more of its parts alike)" if more > 0 else "")


def registry() -> dict[str, str]:
    """{name: one line about it}, for `assay list`."""
    from assay import checkers

    return {kind.__struct_config__.tag: (kind.__doc__ or "").strip().splitlines()[0] for kind in checkers.ALL}
