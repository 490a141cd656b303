"""How long after the fault did the work go on?"""

from collections.abc import Mapping

import msgspec

from assay.checkers.words import chosen, killed, short
from assay.life import Attempt, Life, World
from assay.subject import SLACK_S
from assay.verdict import Judgement, Verdict


class Recovery(msgspec.Struct, frozen=True, tag="recovery"):
    """From the landed fault to the next start, in production units, at most `within_s`.

    `unsure_s`: by how much it may be longer in production, `because` of what was scaled; `waited_s`: what of it the run
    itself took until there was a worker again. A bound that lies within these is unknown. `loaded`: what was waited for
    in real time may be the run's own doing as a whole, and only what was not waited for breaks the bound.
    """

    within_s: float
    ids: list[str] = []
    unsure_s: float = 0.0
    because: str = ""
    waited_s: float = 0.0
    loaded: bool = False

    def forgets(self, life: Life) -> bool:
        """No attempt of it was killed, and no fault was its own."""
        return True

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """Unknown where nothing recovered."""
        waits = [(wait, life) for life in chosen(lives, self.ids) for wait in _waits(life, world)]
        if not waits:
            return Judgement("recovery", Verdict.UNKNOWN, "no attempt followed a fault")
        (real, skipped), life = max(waits, key=lambda each: sum(each[0]))
        longest, own = real + skipped, real if self.loaded else self.waited_s
        said = f"{short(life)} went on after {longest:.4g} s, {self.within_s:g} s are allowed"
        if longest - own > self.within_s:
            verdict = Verdict.VIOLATED
        elif longest + self.unsure_s <= self.within_s:
            verdict = Verdict.HELD
        else:
            verdict = Verdict.UNKNOWN
            said += f", and it is not known to the second: {self._doubts(longest, own)}"
        return Judgement("recovery", verdict, said, None, (life.id,), longest)

    def _doubts(self, longest: float, own: float) -> str:
        waited = f"{own:.3g} s of it may be the run's own, which had no worker for it yet"
        longer = f"in production it may be up to {longest + self.unsure_s:.4g} s, {self.because}"
        return "; ".join([waited] * (longest > self.within_s) + [longer] * (self.unsure_s > 0))


def recoveries(life: Life, world: World) -> list[float]:
    """Seconds from each death of an attempt (or, without one, from a fault) to the next start, in production units.

    What was scaled is put back: a retry's countdown, and the visibility timeout that a warped clock did not wait for.
    """
    return [real + skipped for real, skipped in _waits(life, world)]


def _waits(life: Life, world: World) -> list[tuple[float, float]]:
    """What was waited for in real time, and what was not."""
    deaths = [world.dead[attempt.pid] for attempt in life.attempts if killed(attempt, world)]
    deaths = deaths or [fault.at_ns for fault in life.faults]
    waits = []
    for death in deaths:
        following = next((attempt for attempt in life.attempts if attempt.started_at > death), None)
        if following is not None:
            skipped = _skipped(life, world, death, following.started_at, following.worker)
            waits.append(((following.started_at - death) / 1e9, skipped))
    return waits


def _skipped(life: Life, world: World, after_ns: int, before_ns: int, worker: str) -> float:
    """What kombu's clock was set forward by, of the workers that gave the message back, and the scaled countdowns."""
    stamped = max((world.offsets.get(each.worker, 0.0) for each in _died(life, world, after_ns)), default=0.0)
    lead = (world.offsets.get(worker, 0.0) or _ahead(life, world, after_ns, before_ns)) - stamped
    countdowns = [
        (float(event.detail["countdown_s"]), float(event.detail.get("scale") or 1.0))
        for event in life.sent
        if after_ns <= event.at_ns <= before_ns and event.detail.get("countdown_s")
    ]
    timeouts = _timeouts(life, world, lead, after_ns, before_ns) if lead > 0 else 0.0
    return timeouts + sum(countdown - countdown / scale for countdown, scale in countdowns)


def _timeouts(life: Life, world: World, lead: float, after_ns: int, before_ns: int) -> float:
    """The visibility timeouts in a lead: each worker further ahead is so by another one, and by its slack.

    A worker that took the message over may have died with it: as often as it was delivered since, at the most.
    """
    step = min(offset for _, offset in world.ahead)
    delivered = sum(after_ns < event.at_ns <= before_ns for event in life.deliveries)
    return min(round(lead / step) or 1, delivered or 1) * max(0.0, min(lead, step) - SLACK_S)


def _died(life: Life, world: World, death_ns: int) -> list[Attempt]:
    return [attempt for attempt in life.attempts if world.dead.get(attempt.pid) == death_ns]


def _ahead(life: Life, world: World, death_ns: int, before_ns: int) -> float:
    """Where a worker whose clock is ahead gave the message back, and another one was faster to take it."""
    died = {attempt.worker for attempt in _died(life, world, death_ns)}
    if not any(event.worker in died and event.at_ns <= before_ns for event in world.exited):
        return 0.0
    return max((offset for at_ns, offset in world.ahead if death_ns <= at_ns <= before_ns), default=0.0)
