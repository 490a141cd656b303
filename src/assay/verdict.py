"""Verdict and Outcome, and their single ordering."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import msgspec


class Verdict(StrEnum):
    """held < unknown < violated: the worst of several is their verdict, and unknown is never green."""

    HELD = "held"
    UNKNOWN = "unknown"
    VIOLATED = "violated"

    @property
    def rank(self) -> int:
        return list(Verdict).index(self)

    @classmethod
    def worst(cls, verdicts: Iterable["Verdict"]) -> "Verdict":
        """The worst of them; unknown where there are none, since nothing was proved."""
        return max(verdicts, key=lambda v: v.rank, default=cls.UNKNOWN)


class Outcome(StrEnum):
    """What happened to an invocation, mildest first: the last one that fits a group of them names the group."""

    OK = "ok"  # one attempt, done
    RECOVERED = "recovered"  # an attempt was killed, a later one did the work
    FAILED = "failed"  # ended in a recorded failure
    REVOKED = "revoked"
    IN_DOUBT = "in doubt"  # it cannot be told
    DUPLICATED = "duplicated"  # the work was done more than once
    STUCK = "stuck"  # still queued, unacknowledged or open when the run had settled
    LOOPING = "looping"  # attempted again and again without end
    LOST = "lost"  # never done, and nobody will: the broker no longer has it, or it was never published

    @property
    def rank(self) -> int:
        return list(Outcome).index(self)


class Judgement(msgspec.Struct, frozen=True):
    """What one checker says of one history. `reason` is a sentence that a user understands, with times and pids."""

    checker: str
    verdict: Verdict
    reason: str
    outcome: Outcome | None = None
    invocations: tuple[str, ...] = ()
    recovery_s: float | None = None  # median, from the landed fault to the next start, of those that recovered
    figures: dict[str, Any] = {}


#: a figure of a judgement: of the lost that no fault was meant for, {fault that struck their worker: how many}
BESIDE = "beside"
CHAOS = "chaos"  # the suite of a chaos run's rows


class Result(msgspec.Struct, kw_only=True):
    """One row of the matrix: one scenario for one task. A row of `report.json`, so its fields are a public format."""

    suite: str
    scenario: str
    task: str
    members: list[str] = []  # the tasks of the same profile that this row counts for, `task` among them
    fault: str
    claim: str = ""  # the setting whose promise is tested, as the user knows it ("task_acks_late=True")
    promise: str = ""  # of that setting, in words
    outcome: Outcome | None = None
    verdict: Verdict
    recovery_s: float | None = None  # in production units
    injected: int = 0
    landed: int = 0
    reason: str = ""
    remedy: str = ""
    place: str = ""  # file:line of the claim, where it could be found
    known: str = ""  # reason from the user's list of known findings; such a violation does not turn the exit code
    folder: str = ""  # of this scenario, relative to the run folder
    duration_s: float = 0.0
    judgements: list[Judgement] = []
