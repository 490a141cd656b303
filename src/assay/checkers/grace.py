"""How long must a worker be left between SIGTERM and SIGKILL, so that nothing is lost or run twice by it?"""

from collections.abc import Mapping

import msgspec

from assay.checkers.delivery import outcome
from assay.checkers.words import chosen, short, tale
from assay.event import Kind
from assay.life import Life, World
from assay.verdict import Judgement, Outcome, Verdict


class Grace(msgspec.Struct, frozen=True, tag="grace"):
    """A worker left its grace keeps what it runs (`enough`); what one does that is killed sooner is told (`less`).

    `grace_s`: production seconds, None where only the body's own running time says it; `limit_s`: that in the run.
    `soft_s`: production seconds of a soft shutdown, for a task that it gives back.
    """

    enough: list[str]
    less: list[str]
    grace_s: float | None = None
    limit_s: float | None = None
    soft_s: float = 0.0

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """What a shorter grace does is told, not judged: that is for the delivery checker and the task's contract."""
        for life in chosen(lives, self.enough):
            if not life.attempts:
                return Judgement("grace", Verdict.UNKNOWN, f"{short(life)} did not run")
            fault = self._fault(life, world)
            if fault:
                said = f"{short(life)}: {fault}; {tale(life, world)}"
                return Judgement("grace", Verdict.VIOLATED, said, outcome(life, world), (life.id,))
        needs = f"{self.grace_s:g} s and a few to leave" if self.grace_s else "its longest run, which no limit bounds,"
        said = f"it needs {needs} from SIGTERM to SIGKILL; with less {self._with_less(lives, world)}"
        if self.soft_s:
            said += (
                f"; SIGQUIT instead needs worker_soft_shutdown_timeout, {self.soft_s:g} s: what lasts longer runs again"
            )
        return Judgement("grace", Verdict.HELD, said)

    def _fault(self, life: Life, world: World) -> str:
        """A body that ends by itself is to be done once; one that a limit ends, by that very limit."""
        first = life.attempts[0]
        if self.limit_s is None:
            if not first.done or len(life.attempts) > 1:
                return "it was not done once, though its worker was left to end it"
            return ""
        hard = [event for event in life.limits if event.kind is Kind.HARD_LIMIT]
        if not hard:
            return f"its limit of {self.grace_s:g} s did not end it in a worker that was stopping"
        came_s = float(hard[0].detail.get("limit_s") or 0)
        if came_s > 1.01 * self.limit_s:
            return f"its limit came after {came_s:.3g} s, {self.limit_s:.3g} s was due: that grace is too short"
        if first.worker not in {event.worker for event in world.exited}:
            return "its worker was still there when it had ended"
        return ""

    def _with_less(self, lives: Mapping[str, Life], world: World) -> str:
        killed = chosen(lives, self.less)
        lost = sum(outcome(life, world) in (Outcome.LOST, Outcome.STUCK) for life in killed)
        again = sum(len(life.attempts) > 1 for life in killed)
        parts = [f"{lost} of {len(killed)} were lost"] * bool(lost) + [f"{again} of {len(killed)} ran again"] * bool(
            again
        )
        return " and ".join(parts) or f"none of {len(killed)} was hurt"
