"""Did other queues' load delay these?"""

from collections.abc import Mapping

import msgspec

from assay.checkers.words import chosen, short
from assay.life import Life, World
from assay.verdict import Judgement, Outcome, Verdict


class Isolation(msgspec.Struct, frozen=True, tag="isolation"):
    """Each of these begins within `within_s` (real seconds) of its publication."""

    ids: list[str]
    within_s: float

    def forgets(self, life: Life) -> bool:
        return bool(self.ids)

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """One that never began is stuck."""
        longest = 0.0
        for life in chosen(lives, self.ids):
            if not life.attempts:
                return Judgement(
                    "isolation", Verdict.VIOLATED, f"{short(life)} did not begin", Outcome.STUCK, (life.id,)
                )
            wait = (life.attempts[0].started_at - life.published_at) / 1e9
            longest = max(longest, wait)
            if wait > self.within_s:
                return Judgement(
                    "isolation",
                    Verdict.VIOLATED,
                    f"{short(life)} began after {wait:.3g} s, {self.within_s:g} s are allowed",
                    None,
                    (life.id,),
                )
        return Judgement("isolation", Verdict.HELD, f"each began within {longest:.3g} s")
