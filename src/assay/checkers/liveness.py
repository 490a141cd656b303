"""Does every worker go on after a fault that should not have stopped it?"""

from collections.abc import Mapping

import msgspec

from assay.checkers.words import chosen, short
from assay.event import Event
from assay.life import Life, World
from assay.verdict import Judgement, Outcome, Verdict


class Liveness(msgspec.Struct, frozen=True, tag="liveness"):
    """Each of these invocations, published after the fault, begins within `within_s`, and no worker ends unasked.

    A supervisor that starts such a worker again hides that it was gone, and what it had reserved waits meanwhile.
    `deaf_for`: how long one that takes nothing stays so in production, where that is known; no run waits for it.
    """

    ids: list[str]
    within_s: float
    deaf_for: str = ""

    def forgets(self, life: Life) -> bool:
        """When each of them began is looked at."""
        return life.id not in self.ids

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """Unknown where one of them was published before the fault."""
        fault_ns = max((event.at_ns for event in world.landed), default=None)
        fresh = chosen(lives, self.ids)
        if fault_ns is None or any(life.published_at < fault_ns for life in fresh):
            return Judgement("liveness", Verdict.UNKNOWN, "nothing was published after a fault that landed")
        for event in world.ended:
            if not asked(event, world):
                return Judgement(
                    "liveness", Verdict.VIOLATED, f"{event.worker} gave up with {event.detail.get('error')}"
                )
        for event in world.exited:
            if not asked(event, world):
                return Judgement(
                    "liveness",
                    Verdict.VIOLATED,
                    f"{event.worker} ended by itself{_status(event)}: it should have gone on",
                )
        for life in fresh:
            if not life.attempts:
                others = any(each.attempts for each in fresh)
                why = "others did" if others else f"the worker is deaf{self._so_long()}"
                return Judgement(
                    "liveness",
                    Verdict.VIOLATED,
                    f"{short(life)} was published after the fault and never began: {why}",
                    Outcome.STUCK,
                    (life.id,),
                )
        life = max(fresh, key=_wait_s)
        longest = _wait_s(life)
        return Judgement(
            "liveness",
            Verdict.HELD if longest <= self.within_s else Verdict.VIOLATED,
            f"{short(life)} began {longest:.3g} s after it was published, {self.within_s:g} s are allowed",
            None,
            (life.id,),
        )

    def _so_long(self) -> str:
        return f", in production {self.deaf_for}" if self.deaf_for else ""


def _status(event: Event) -> str:
    """Of a worker elsewhere nobody tells it."""
    status = event.detail.get("status")
    return "" if status is None else f", with status {status}"


def _wait_s(life: Life) -> float:
    return (life.attempts[0].started_at - life.published_at) / 1e9


def asked(exit_: Event, world: World) -> bool:
    """Whether it was told to stop, or killed by a fault."""
    killed = {event.detail.get("target") for event in world.landed if event.detail.get("signal") == "SIGKILL"}
    return exit_.detail.get("pid", exit_.pid) in killed or any(exit_.worker == event.worker for event in world.stopping)
