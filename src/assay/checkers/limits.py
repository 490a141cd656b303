"""Are time limits enforced?"""

from collections.abc import Mapping

import msgspec

from assay.checkers.words import chosen, short
from assay.event import Kind
from assay.life import Attempt, Life, World
from assay.verdict import Judgement, Outcome, Verdict

SOFT = "SoftTimeLimitExceeded"


class TimeLimit(msgspec.Struct, frozen=True, tag="time_limit"):
    """No body runs longer than its limits, given in production seconds; in the run each was shorter by its scale.

    `grace_s` is real time: Celery gives a child 0.1 s after SIGTERM before it kills it (billiard, Pool), and machines
    are noisy. `soft_handled`: whether the body was to catch the soft limit and return; None where it ignored it.
    """

    ids: list[str]
    soft_s: float | None = None
    hard_s: float | None = None
    scale: float = 1.0  # of the hard limit
    soft_scale: float = 1.0
    grace_s: float = 1.5
    soft_handled: bool | None = None
    announced: bool = True  # whether the hard limit itself must have come: a real body may end by the soft one

    def forgets(self, life: Life) -> bool:
        return bool(self.ids)

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """Also that it was this limit, that the soft one came first, and that a hard limited process is gone."""
        for life in chosen(lives, self.ids):
            if not life.attempts:
                return Judgement("time_limit", Verdict.UNKNOWN, f"{short(life)} did not run")
            fault = self._fault(life, world)
            if fault:
                return Judgement(
                    "time_limit",
                    Verdict.VIOLATED,
                    f"{short(life)}: {fault}",
                    Outcome.STUCK if world.settled is False else None,
                    (life.id,),
                )
        return Judgement(
            "time_limit",
            Verdict.HELD,
            f"ended by its {'hard' if self.soft_handled is None and self.hard_s else 'soft'} limit",
            Outcome.FAILED if not self.soft_handled else Outcome.OK,
        )

    def _fault(self, life: Life, world: World) -> str:
        attempt = life.attempts[0]
        soft = [event for event in life.limits if event.kind is Kind.SOFT_LIMIT]
        hard = [event for event in life.limits if event.kind is Kind.HARD_LIMIT]
        limit, name = self._due()
        ran = self._ran(attempt, world)
        if ran is None:
            return f"its attempt still ran at the end, {name} of {limit[0]:g} s notwithstanding"
        if ran > limit[0] / limit[1] + self.grace_s:
            return f"its attempt ran {ran:.3g} s, which stands for {ran * limit[1]:.4g} s; {name} is {limit[0]:g} s"
        announced = soft if name == "task_soft_time_limit" else hard
        if announced and float(announced[0].detail.get("limit_s") or 0) > 1.01 * limit[0] / limit[1]:
            came_s = float(announced[0].detail["limit_s"])
            return f"another limit was in force: it came after {came_s:.3g} s, {limit[0] / limit[1]:.3g} s was due"
        if self.soft_handled is not None and not soft:
            return "no soft limit was announced"
        came_to = f"raised {attempt.raised}" if attempt.raised else "was killed"
        if self.soft_handled and not attempt.done:
            return f"it was to clean up after the soft limit and return, and {came_to}"
        if self.soft_handled is False and attempt.raised != SOFT:
            return f"it was to fail by {SOFT}, and {came_to}"
        if self.announced and self.soft_handled is None and self.hard_s is not None and not hard:
            return "no hard limit was announced"
        if soft and hard and hard[0].at_ns < soft[0].at_ns:
            return "the hard limit came before the soft one"
        return ""

    def _due(self) -> tuple[tuple[float, float], str]:
        """The limit that must end this body: (production seconds, scale) and its name."""
        if self.hard_s is not None and (self.soft_handled is None or self.soft_s is None):
            return (self.hard_s, self.scale), "task_time_limit"
        return (self.soft_s or 0.0, self.soft_scale), "task_soft_time_limit"

    def _ran(self, attempt: Attempt, world: World) -> float | None:
        end = attempt.exited_at or attempt.ended_at or world.dead.get(attempt.pid)
        begin = attempt.body_at or attempt.started_at
        return None if end is None else (end - begin) / 1e9
