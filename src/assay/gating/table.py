"""`[gate]`: what a team demands of a merge beyond that every promise holds."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec


class Demands(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The keys of the table; docs/ci.md tells them. None: not demanded."""

    most_s: Annotated[float, msgspec.Meta(gt=0)] | None = None  # that the gate may take, by the clock on the wall
    #: faults that could lose a task; not demanded, one is still needed for a green, and 0 says that none is
    fewest_landed: Annotated[int, msgspec.Meta(ge=0)] | None = None
    audit: Literal["broken", "risk", "off"] = "broken"  # the mildest finding that turns the verdict
    baseline: Path | None = None  # a file or a run folder that is compared with
    canary: Literal["seen", "off"] = "seen"  # that its loss was seen, or that a run without one will do
