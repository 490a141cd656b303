"""Does a revoked task stay revoked, whatever becomes of the worker that was told so?"""

from collections.abc import Mapping

import msgspec

from assay.checkers.delivery import outcome
from assay.checkers.words import chosen, short, tale
from assay.life import Life, World
from assay.verdict import Judgement, Outcome, Verdict


class StaysRevoked(msgspec.Struct, frozen=True, tag="stays_revoked"):
    """None of these began, of which a worker was told before that they are revoked. Unless `promised`: it is shown."""

    ids: list[str]
    promised: bool = True

    def forgets(self, life: Life) -> bool:
        return bool(self.ids)

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """Unknown where the run did not settle: one of them may still begin."""
        mine = chosen(lives, self.ids)
        if world.settled is not True or any(life.publish is None for life in mine):
            return Judgement("stays_revoked", Verdict.UNKNOWN, "what was revoked had not come to its end")
        for life in mine:
            if life.attempts:
                promised = "" if self.promised else ", and no setting promises otherwise"
                return Judgement(
                    "stays_revoked",
                    Verdict.VIOLATED if self.promised else Verdict.HELD,
                    f"{short(life)} was revoked, and ran all the same{promised}: {tale(life, world)}",
                    outcome(life, world),
                    (life.id,),
                )
        return Judgement("stays_revoked", Verdict.HELD, "what was revoked did not run", Outcome.REVOKED)
