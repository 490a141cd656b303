"""How often did each invocation's body start?"""

from collections.abc import Mapping

import msgspec

from assay.checkers.words import chosen, forgotten, short, tale, times
from assay.life import Life, World
from assay.verdict import Judgement, Outcome, Verdict


class Attempts(msgspec.Struct, frozen=True, tag="attempts"):
    """At least `least` and at most `most` attempts of each invocation. `parts`: what those are that are of a whole."""

    ids: list[str] = []
    least: int = 0
    most: int | None = None
    parts: dict[str, str] = {}  # id -> "errback"

    def forgets(self, life: Life) -> bool:
        return self.least <= 1 and (self.most is None or self.most >= 1)

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """More than allowed while the run has not settled is a loop."""
        mine = chosen(lives, self.ids)
        for life in mine:
            number = len(life.attempts)
            if self.most is not None and number > self.most:
                looping = world.settled is False or number > 2 * self.most + 2
                what = Outcome.LOOPING if looping else Outcome.DUPLICATED if life.done > 1 else None
                return Judgement(
                    "attempts",
                    Verdict.VIOLATED,
                    f"{self._too_often(life, self.most, world)}: {tale(life, world)}",
                    what,
                    (life.id,),
                    None,
                    {"attempts": number},
                )
            if number < self.least:
                return Judgement(
                    "attempts",
                    Verdict.VIOLATED,
                    f"{self._named(life)} was attempted {times(number)}, {_are(self.least)} due: "
                    f"{tale(life, world) or 'none began'}",
                    None,
                    (life.id,),
                    None,
                    {"attempts": number},
                )
        numbers = {len(life.attempts) for life in mine} | ({1} if forgotten(world, self.ids) else set())
        said = (
            f"{max(numbers)} attempts"
            if len(numbers) == 1
            else f"{min(numbers, default=0)} to {max(numbers, default=0)} attempts"
        )
        return Judgement("attempts", Verdict.HELD, said, None, (), None, {"attempts": max(numbers, default=0)})

    def _named(self, life: Life) -> str:
        return f"{self.parts[life.id]} {short(life)}" if life.id in self.parts else short(life)

    def _too_often(self, life: Life, most: int, world: World) -> str:
        often = times(len(life.attempts))
        going = " and was still going on" if world.settled is False else ""
        if not most:
            return f"{self._named(life)} ran {often}{going}, and should not have run at all"
        return f"{self._named(life)} was attempted {often}{going}, {_are(most)} allowed"


def _are(number: int) -> str:
    return f"{number} {'is' if number == 1 else 'are'}"
