"""Does an attempt end in the time that the task's contract allows, whatever its body does?"""

from collections.abc import Mapping

import msgspec

from assay.checkers.words import chosen, short
from assay.event import Kind
from assay.life import Life, World
from assay.verdict import Judgement, Outcome, Verdict

NEAR = 1.01  # how exactly a limit is scaled and read back


class LongestRun(msgspec.Struct, frozen=True, tag="longest_run"):
    """An attempt ends within `within_s`, in production seconds; in the run they were shorter by `scale`.

    By its hard limit, that is: a body that ends by itself shows nothing, unless it was longer. `grace_s` is real time,
    as for a time limit.
    """

    ids: list[str]
    within_s: float
    scale: float = 1.0
    grace_s: float = 1.5

    def forgets(self, life: Life) -> bool:
        return bool(self.ids)

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """Of the first attempt; unknown where none ran, or where it ended sooner and by no limit."""
        held = ""
        for life in chosen(lives, self.ids):
            if not life.attempts:
                return Judgement("longest_run", Verdict.UNKNOWN, f"{short(life)} did not run")
            verdict, said = self._one(life, world)
            if verdict is not Verdict.HELD:
                outcome = Outcome.STUCK if world.settled is False and verdict is Verdict.VIOLATED else None
                return Judgement("longest_run", verdict, f"{short(life)}: {said}", outcome, (life.id,))
            held = said
        return Judgement("longest_run", Verdict.HELD, held, Outcome.FAILED)

    def _one(self, life: Life, world: World) -> tuple[Verdict, str]:
        attempt, allowed = life.attempts[0], f"{self.within_s:g} s are allowed"
        end = attempt.exited_at or attempt.ended_at or world.dead.get(attempt.pid)
        if end is None:
            return Verdict.VIOLATED, f"its attempt still ran at the end; {allowed}"
        ran_s = (end - (attempt.body_at or attempt.started_at)) / 1e9
        limits = [event for event in life.limits if event.kind is Kind.HARD_LIMIT]
        limit_s = float(limits[0].detail.get("limit_s") or 0) * self.scale if limits else 0.0
        if limits and limit_s > NEAR * self.within_s:
            return Verdict.VIOLATED, f"its hard limit came after {limit_s:.4g} s; {allowed}"
        if ran_s > self.within_s / self.scale + (self.grace_s if limits else 0.0):
            stood = f", which stands for {ran_s * self.scale:.4g} s" if self.scale != 1 else ""
            return Verdict.VIOLATED, f"nothing ended its attempt: it ran {ran_s:.3g} s{stood}; {allowed}"
        if not limits:
            return Verdict.UNKNOWN, "its attempt ended before that time, and by no hard limit"
        return Verdict.HELD, f"ended by its hard limit of {limit_s:.4g} s, {allowed}"
