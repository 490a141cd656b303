"""How many messages did a busy worker take ahead?"""

from collections.abc import Mapping

import msgspec

from assay.checkers.words import short
from assay.counted import counted
from assay.event import Kind
from assay.life import Life, World
from assay.verdict import Judgement, Verdict


class Ahead(msgspec.Struct, frozen=True, tag="ahead"):
    """While the first attempt that is held stands, `worker` has taken `most` messages at the most, that one too."""

    worker: str
    most: int

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """Unknown where nothing was held."""
        released = [each.at_ns for life in lives.values() for each in life.holds if each.kind is Kind.RELEASED]
        if not released:
            return Judgement("ahead", Verdict.UNKNOWN, f"nothing kept {self.worker} busy")
        taken = [
            life
            for life in lives.values()
            if any(each.worker == self.worker and each.at_ns < min(released) for each in life.deliveries)
        ]
        told = f"{self.worker} took {counted(len(taken), 'message')} while its slot was busy"
        if len(taken) > self.most:
            more = ", ".join(short(life) for life in taken[:3])
            return Judgement("ahead", Verdict.VIOLATED, f"{told}, {self.most} are allowed: {more} ...")
        return Judgement("ahead", Verdict.HELD, told)
