"""Does a worker that is told to stop leave in order, and begin nothing any more?"""

from collections.abc import Mapping

import msgspec

from assay.checkers.words import short
from assay.life import Life, World
from assay.verdict import Judgement, Outcome, Verdict


class Shutdown(msgspec.Struct, frozen=True, tag="shutdown"):
    """A stopping worker begins nothing that is published afterwards, and no body of it goes on when it is gone.

    `status`: what it is to exit with; None where any will do. `waits`: whether it may wait for the bodies that run.
    """

    status: int | None = None
    waits: bool = True

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """Unknown where none was told to stop, or none is gone."""
        told: dict[str, int] = {}
        for event in world.stopping:
            told.setdefault(event.worker, event.at_ns)
        gone = {event.worker: event for event in world.exited if event.worker in told}
        if not told:
            return Judgement("shutdown", Verdict.UNKNOWN, "no worker was told to stop")
        for life in lives.values():
            for attempt in life.attempts:
                worker = attempt.worker
                if worker in told and life.published_at > told[worker]:
                    late_s = (life.published_at - told[worker]) / 1e9
                    said = f"{worker} began {short(life)}, which was published {late_s:.3f} s after it was told to stop"
                    return Judgement("shutdown", Verdict.VIOLATED, said, None, (life.id,))
                if worker in gone and (attempt.exited_at or 0) > gone[worker].at_ns:
                    said = f"a child of {worker} outlived it, and went on with {short(life)}"
                    return Judgement("shutdown", Verdict.VIOLATED, said, None, (life.id,))
        for worker, event in gone.items():
            status = event.detail.get("status")
            if self.status is not None and status != self.status:
                said = f"{worker} exited with status {status}, {self.status} is due"
                return Judgement("shutdown", Verdict.VIOLATED, said)
        for event in world.hanging:
            if not self.waits:
                said = (
                    f"{event.worker} was to give up what runs, and still waited {event.detail.get('after_s'):g} s later"
                )
                return Judgement("shutdown", Verdict.VIOLATED, said, Outcome.STUCK)
        if not gone:
            return Judgement("shutdown", Verdict.UNKNOWN, "no worker that was told to stop is gone")
        statuses = ", ".join(sorted({str(event.detail.get("status")) for event in gone.values()}))
        return Judgement("shutdown", Verdict.HELD, f"exit status {statuses}, and nothing of it went on or began")
