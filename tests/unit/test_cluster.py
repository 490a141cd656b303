"""A cluster waits for what is recorded, and for no longer than anything can be."""

from types import SimpleNamespace
from typing import Any

import pytest

from assay.cluster import Cluster
from assay.errors import HarnessError


def test_given_a_run_that_was_ended_then_nobody_waits_for_what_will_not_come() -> None:
    listening: Any = SimpleNamespace(listen=lambda: None, wait=lambda timeout_s: None)
    cluster: Any = SimpleNamespace(_bell=listening, advance=lambda: None, zygote=SimpleNamespace(process=None))
    cluster.zygote.process = SimpleNamespace(alive=lambda: False)
    assert Cluster.wait(cluster, lambda: True, timeout_s=60.0) is True
    with pytest.raises(HarnessError, match="were ended"):
        Cluster.wait(cluster, lambda: False, timeout_s=60.0)


def test_what_a_worker_had_whose_clock_was_ahead_is_found_by_one_that_is_further_ahead() -> None:
    cluster: Any = SimpleNamespace(_clocks={"w1": 0.0, "w2": 0.0}, beyond_visibility_s=100.0)
    offsets = Cluster.clocks_ahead(cluster)
    assert next(offsets) == 100.0
    cluster._clocks["w3"] = 100.0  # the one that was started with it, and that ended too
    assert next(offsets) == 200.0
    assert list(offsets) == []
    assert Cluster.takes_over_s(cluster, SimpleNamespace(name="w3")) == 200.0
