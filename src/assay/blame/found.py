"""What became of a red row when settings were changed. Data only."""

import msgspec

from assay.flip import Flip
from assay.verdict import Result, Verdict


class Tried(msgspec.Struct, frozen=True):
    """One run of the rows with these changes."""

    flips: list[Flip]
    verdict: Verdict
    outcome: str
    said: str
    scenario: str  # that spoke: the first that did not hold, or the last
    recovery_s: float | None = None


class Blame(msgspec.Struct, kw_only=True):
    """`mends` is the smallest change with which all rows held; None where none of those that were tried is enough.

    `path` are its parts as they were tried one after the other, each beside those before it.
    """

    row: Result
    again: Result  # without any change
    others: list[str]  # rows of the same claim that were to hold as well
    mends: list[Flip] | None
    path: list[Tried]
    tried: list[Tried]
    breaks: str = ""  # a scenario that held, and does not with it: no change was found that mends the rows alone
    duration_s: float = 0.0


class Found(msgspec.Struct, frozen=True):
    """All that was looked into, with one patch for it; `by_hand` are changes whose place a person must find."""

    groups: list[Blame]
    patch: str = ""
    by_hand: list[Flip] = []
