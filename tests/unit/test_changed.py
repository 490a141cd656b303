"""What a run does otherwise than the team's workers is told."""

from pathlib import Path

import pytest
from targets import subject

from assay.changed import changed, visibility
from assay.settings import Settings
from assay.subject import Setting


@pytest.mark.parametrize("cold", [True, False])
@pytest.mark.parametrize("given", [None, 8])
def test_given_workers_of_a_run_then_their_slots_and_what_they_are_started_without_is_told(
    cold: bool, given: int | None
) -> None:
    own = (Setting("worker_concurrency", given),) if given else ()
    said = changed(subject(settings=own), Settings(workdir=Path(), out=Path(), concurrency=3, cold=cold))
    assert said[0].startswith(
        "workers have 3 slots rather than worker_concurrency=8," if given else "workers have 3 slots,"
    )
    assert any("without mingle, gossip and heartbeat" in each for each in said) is not cold


def test_given_a_visibility_timeout_then_it_is_told_that_it_is_not_waited_for() -> None:
    told = visibility(subject(visibility_timeout=7200.0, restore_period_s=40.0))
    assert told.startswith("visibility_timeout of 7200 s: not waited for")
    assert "add up to 40 s" in told
