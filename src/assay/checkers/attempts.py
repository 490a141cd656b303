"""How often did each invocation's body start?"""

from collections.abc import Mapping

import msgspec

from assay.checkers.words import chosen, forgotten, short, tale
from assay.life import Life, World
from assay.verdict import Judgement, Outcome, Verdict


class Attempts(msgspec.Struct, frozen=True, tag="attempts"):
    """At least `least` and at most `most` attempts of each invocation."""

    ids: list[str] = []
    least: int = 0
    most: int | None = None

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
                going = " and was still going on" if world.settled is False else ""
                return Judgement(
                    "attempts",
                    Verdict.VIOLATED,
                    f"{short(life)} was attempted {number} times{going}, {self.most} are allowed: {tale(life, world)}",
                    what,
                    (life.id,),
                    None,
                    {"attempts": number},
                )
            if number < self.least:
                return Judgement(
                    "attempts",
                    Verdict.VIOLATED,
                    f"{short(life)} was attempted {number} times, {self.least} are due: {tale(life, world)}",
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
