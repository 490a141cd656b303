"""What a gate says, as one value. Data only."""

import msgspec

from assay.verdict import Verdict

SCHEMA = 1


class Part(msgspec.Struct, frozen=True):
    """One thing that a gate demands. `why` is a sentence, `details` are further ones, the worst first.

    `refused`: it could not be judged, since what the user gave for it cannot be used.
    """

    name: str
    verdict: Verdict
    why: str
    details: list[str] = []
    refused: bool = False


class Gated(msgspec.Struct, kw_only=True):
    """Written as `gate.json`; docs/ci.md describes each field."""

    schema: int = SCHEMA
    verdict: Verdict
    exit_code: int
    app: str
    parts: list[Part]
    duration_s: float = 0.0
