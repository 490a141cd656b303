"""Were innocent tasks hurt?"""

from collections.abc import Mapping

import msgspec

from assay.checkers.words import chosen, killed, short, tale
from assay.life import Life, World
from assay.verdict import Judgement, Outcome, Verdict


class Bystanders(msgspec.Struct, frozen=True, tag="bystanders"):
    """Each of these is done exactly once, unless it shared the killed process."""

    ids: list[str]

    def forgets(self, life: Life) -> bool:
        return bool(self.ids)

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """A bystander in the killed process may run again; it must still be done."""
        for life in chosen(lives, self.ids):
            shared = any(killed(attempt, world) for attempt in life.attempts)
            if not life.done:
                return Judgement(
                    "bystanders",
                    Verdict.VIOLATED,
                    f"{short(life)} was not done: {tale(life, world) or 'it never began'}",
                    Outcome.LOST,
                    (life.id,),
                )
            if life.done > 1 and not shared:
                return Judgement(
                    "bystanders",
                    Verdict.VIOLATED,
                    f"{short(life)} was done {life.done} times: {tale(life, world)}",
                    Outcome.DUPLICATED,
                    (life.id,),
                )
        return Judgement("bystanders", Verdict.HELD, f"{len(self.ids)} neighbours unhurt")


class NextTask(msgspec.Struct, frozen=True, tag="next_task"):
    """Each of these, run afterwards in the same pool, ends well at its first attempt."""

    ids: list[str]

    def forgets(self, life: Life) -> bool:
        return bool(self.ids)

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """A stray exception of the task before would show here."""
        for life in chosen(lives, self.ids):
            if not life.attempts:
                return Judgement(
                    "next_task", Verdict.VIOLATED, f"{short(life)} did not begin afterwards", Outcome.STUCK, (life.id,)
                )
            if not life.attempts[0].done:
                raised = life.attempts[0].raised
                return Judgement(
                    "next_task",
                    Verdict.VIOLATED,
                    f"{short(life)} {'raised ' + raised if raised else 'did not end'}",
                    None,
                    (life.id,),
                )
        return Judgement("next_task", Verdict.HELD, "the next tasks were undamaged")
