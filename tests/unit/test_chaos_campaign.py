"""What a chaos run does at each tick, with a cluster that is none."""

import contextlib
import time
from types import SimpleNamespace
from typing import Any

import pytest

from assay.chaos.campaign import Campaign
from assay.event import Kind, Point
from assay.hold import Held


@pytest.mark.parametrize("held", [True, False])
def test_a_worker_that_stops_is_given_its_time_after_a_body_that_was_held_here_is_let_go(held: bool) -> None:
    """Faults are thrown one after the other, and one may need seconds: meanwhile nothing else is released."""
    recorded: list[Kind] = []
    released: list[str] = []
    stands = Held(Point.BODY_ENTER, "a", 0, 6, "w5")
    waiting = SimpleNamespace(held=stands, release=lambda: released.append("a"))
    queue = [waiting] if held else []
    worker = SimpleNamespace(name="w5", pid=5, alive=lambda: not recorded, kill_group=lambda: None)
    campaign: Any = Campaign.__new__(Campaign)
    campaign._cluster = SimpleNamespace(
        gate=SimpleNamespace(next=lambda timeout_s: queue.pop() if queue else None),
        workers=[worker],
        invocations={},
        record=lambda kind, **_: recorded.append(kind),
        standing_still=lambda worker: contextlib.nullcontext(),
        write_off=lambda: None,
    )
    campaign._stops_by = {"w5": time.monotonic() - 1.0}
    campaign._longest_s, campaign._told, campaign._wanted = 0.1, time.monotonic(), 0
    campaign._jobs, campaign._heals, campaign._left, campaign._ready = {}, [], [], {"w5"}
    campaign._awaited = {}
    campaign._script = SimpleNamespace(workers=2, concurrency=2)
    campaign.stopping = True
    campaign._tick()
    assert released == (["a"] if held else [])
    assert recorded == ([] if held else [Kind.WORKER_HANGS])
