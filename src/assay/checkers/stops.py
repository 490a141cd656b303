"""Does a worker that is told to stop end?"""

from collections.abc import Mapping

import msgspec

from assay.life import Life, World
from assay.verdict import Judgement, Outcome, Verdict


class Stops(msgspec.Struct, frozen=True, tag="stops"):
    """Each worker that was told to stop is gone, in the time that it was given, once nothing runs in it."""

    def forgets(self, life: Life) -> bool:
        """Its attempt has ended."""
        return True

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """One that waits for a body that still runs is unknown: how long that takes is the body's affair."""
        if not world.stopping:
            return Judgement("stops", Verdict.UNKNOWN, "no worker was told to stop")
        waited = ""
        for event in world.hanging:
            what = f"{event.worker} was told to stop and was still there {event.detail.get('after_s'):g} s later"
            if any(_open(life, event.worker, event.at_ns, world) for life in lives.values()):
                waited = waited or f"{what}, since a body still ran in it"
                continue
            return Judgement("stops", Verdict.VIOLATED, f"{what}, with nothing running: it hangs", Outcome.STUCK)
        if waited:
            return Judgement("stops", Verdict.UNKNOWN, waited)
        return Judgement("stops", Verdict.HELD, "each worker that was told to stop ended")


def _open(life: Life, worker: str, at_ns: int, world: World) -> bool:
    return any(
        attempt.worker == worker
        and attempt.started_at <= at_ns
        and (attempt.ended_at is None or attempt.ended_at > at_ns)
        and world.dead.get(attempt.pid, at_ns) >= at_ns
        for attempt in life.attempts
    )
