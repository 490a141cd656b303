"""What a chaos run does at each tick, with a cluster that is none."""

import contextlib
import time
from collections import Counter
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from targets import subject, task

from assay.chaos.campaign import RESULTS, Campaign
from assay.chaos.script import ChaosScript, Workload
from assay.event import Event, Kind, Point
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
        ledger=SimpleNamespace(write_off=lambda: None),
    )
    campaign._stops_by = {"w5": time.monotonic() - 1.0}
    campaign._longest_s, campaign._told, campaign._wanted = 0.1, time.monotonic(), 0
    campaign._jobs, campaign._heals, campaign._left, campaign._ready = {}, [], [], {"w5"}
    campaign._awaited, campaign._done = {}, []
    campaign._script = ChaosScript(seed=1, workload=Workload(tasks=("shop.charge",), number=1))
    campaign.stopping = True
    campaign._tick()
    assert released == (["a"] if held else [])
    assert recorded == ([] if held else [Kind.WORKER_HANGS])


@pytest.mark.parametrize("heals", [[], ["results away"]])
def test_results_of_what_is_done_and_not_struck_are_taken_out_while_nothing_is_away(heals: list[str]) -> None:
    """Of what is struck the final read asks for the result."""
    taken: list[str] = []
    ids = [str(number) for number in range(RESULTS + 1)]
    campaign: Any = Campaign.__new__(Campaign)
    campaign._cluster = SimpleNamespace(
        gate=SimpleNamespace(next=lambda timeout_s: None),
        workers=[],
        invocations=dict.fromkeys(ids, "shop.charge"),
        forget_invocation=lambda invocation: campaign._cluster.invocations.pop(invocation),
        forget_results=taken.extend,
        ledger=SimpleNamespace(write_off=lambda: None),
    )
    campaign._stops_by, campaign._wanted, campaign._told = {}, 0, time.monotonic()
    campaign._struck, campaign._half_done, campaign._done, campaign._acked = {"0"}, {}, [], set()
    campaign._heals, campaign._left, campaign._ready, campaign.stopping = [], [], set(), True
    campaign._heal = lambda now: None
    campaign._script = ChaosScript(seed=1, workload=Workload(tasks=("shop.charge",), number=1))
    campaign.counts = Counter()
    for invocation in ids:
        for kind, detail in ((Kind.ATTEMPT_ENDED, {"state": "SUCCESS"}), (Kind.ACKED, {})):
            campaign._hear(Event(1, kind, 5, "w1", invocation, "shop.charge", "", detail))
    campaign._heals = heals
    campaign._tick()
    assert taken == ([] if heals else ids[1:])
    assert set(campaign._cluster.invocations) == {"0"}


def test_at_a_rate_as_many_are_published_as_are_due_whatever_waits() -> None:
    campaign: Any = Campaign.__new__(Campaign)
    sent: list[int] = []
    workload = Workload(tasks=("shop.charge",), number=100, rate=10.0)
    campaign._script = ChaosScript(seed=1, workload=workload)
    campaign._cluster = SimpleNamespace(
        subject=subject(task(name="shop.charge")), ledger=SimpleNamespace(backlog=lambda: 1000)
    )
    campaign._strikes, campaign._aimed, campaign.stopping, campaign._left = {}, {}, False, list(workload.numbers)
    campaign.counts = Counter()
    campaign._send = lambda jobs: (sent.extend(job.number for job in jobs), campaign.counts.update(published=len(jobs)))
    campaign._began = time.monotonic() - 2.05
    campaign._publish()
    campaign._publish()
    assert 21 <= len(sent) <= 30
    assert sent == list(range(1, len(sent) + 1))
    campaign._script = msgspec.structs.replace(campaign._script, workload=msgspec.structs.replace(workload, rate=0.0))
    before = len(sent)
    campaign._publish()
    assert len(sent) == before, "in a closed loop what waits is enough"
