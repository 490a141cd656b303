"""Is anything left behind?"""

from collections.abc import Mapping

import msgspec

from assay.checkers.words import names
from assay.life import Life, World
from assay.verdict import Judgement, Outcome, Verdict


class Leftovers(msgspec.Struct, frozen=True, tag="leftovers"):
    """No process that a task or a worker started still runs, and the broker holds nothing of the run."""

    processes: bool = True
    messages: bool = True

    def forgets(self, life: Life) -> bool:
        """One that the broker still holds at the end is brought back."""
        return True

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """Either part can be left out."""
        if self.processes and world.left:
            first = world.left[0].detail
            which = f"pid {first.get('left')}, {first.get('command')}"
            said = f"{len(world.left)} processes of a task or a worker still run: {which}"
            return Judgement("leftovers", Verdict.VIOLATED, said)
        waiting = [life for life in lives.values() if life.pending] if self.messages else []
        if waiting:
            return Judgement(
                "leftovers",
                Verdict.VIOLATED,
                f"the broker still holds {names(waiting)}",
                Outcome.STUCK,
                tuple(life.id for life in waiting),
            )
        return Judgement("leftovers", Verdict.HELD, "nothing is left")
