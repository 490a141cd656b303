"""Do retries wait as long as the task says, count up, and stay in their queue?"""

from collections.abc import Mapping

import msgspec

from assay.checkers.words import chosen, short, tale
from assay.life import Life, World
from assay.verdict import Judgement, Verdict

LATE_S = 5.0  # real: what was announced rightly comes late where the machine is busy, which is nobody's setting


class RetryPolicy(msgspec.Struct, frozen=True, tag="retry_policy"):
    """`retries` retries with the nth one's wait within `delays_s[n]`, in production units.

    A wait was `scale` times shorter in the run; `tolerance_s` is real time, for the noise of the machine.
    """

    ids: list[str]
    retries: int
    delays_s: list[tuple[float, float]]
    scale: float = 1.0
    queue: str = ""
    gives_up: bool = True
    tolerance_s: float = 0.5

    def forgets(self, life: Life) -> bool:
        return bool(self.ids)

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """The announced wait is judged exactly, the observed one with tolerance."""
        for life in chosen(lives, self.ids):
            fault = self._fault(life, world)
            if fault:
                return Judgement("retry_policy", Verdict.VIOLATED, f"{short(life)}: {fault}", None, (life.id,))
        return Judgement("retry_policy", Verdict.HELD, f"{self.retries} retries, each after its wait")

    def _fault(self, life: Life, world: World) -> str:
        attempts = life.attempts
        if len(attempts) != 1 + self.retries:
            return f"{len(attempts) - 1} retries, {self.retries} are due: {tale(life, world)}"
        if [attempt.retries for attempt in attempts] != list(range(1 + self.retries)):
            return f"the retry counter reads {[attempt.retries for attempt in attempts]}"
        if self.gives_up and life.done:
            return "it was to fail every time, and its work was done"
        for number, (least, most) in enumerate(self.delays_s[: self.retries]):
            fault = self._wait(life, number, least, most)
            if fault:
                return fault
        strayed = {str(event.detail.get("queue")) for event in life.deliveries} - {self.queue}
        return (
            f"a retry was delivered by queue {', '.join(sorted(strayed))} rather than {self.queue}"
            if self.queue and strayed
            else ""
        )

    def _wait(self, life: Life, number: int, least: float, most: float) -> str:
        sent = life.retries_sent[number]
        announced = sent.detail.get("countdown_s")
        if announced is not None and not least - 1e-6 <= float(announced) <= most + 1e-6:
            return f"retry {number + 1} was told to wait {float(announced):g} s, {_bounds(least, most)} is due"
        asked_at = sent.detail.get("asked_at_ns") or sent.at_ns  # publishing itself takes its time
        real = (life.attempts[number + 1].started_at - asked_at) / 1e9
        low = least if announced is None else float(announced)
        high = most if announced is None else float(announced)
        if real < low / self.scale - 0.05:
            return f"retry {number + 1} waited {real * self.scale:.3g} s, {_bounds(least, most)} is due"
        if real > high / self.scale + (self.tolerance_s if announced is None else LATE_S):
            return f"retry {number + 1} waited {real * self.scale:.3g} s, {_bounds(least, most)} is due"
        return ""


def _bounds(least: float, most: float) -> str:
    return f"{least:g} s" if least == most else f"between {least:g} s and {most:g} s"
