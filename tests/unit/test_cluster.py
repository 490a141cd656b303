"""A cluster waits for what is recorded, and for no longer than anything can be."""

from types import SimpleNamespace
from typing import Any

import pytest
from kombu.exceptions import OperationalError

from assay.cluster import Cluster
from assay.errors import HarnessError
from assay.event import Kind
from assay.publishing import Publishing
from assay.role import Client


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


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (None, Kind.PUBLISHED),
        (ValueError("no such option"), Kind.PUBLISH_FAILED),
        (OperationalError("Connection reset by peer"), Kind.PUBLISH_IN_DOUBT),
    ],
)
def test_what_may_have_arrived_though_its_answer_did_not_is_in_doubt(error: Exception | None, kind: Kind) -> None:
    def apply_async(*_: Any, **__: Any) -> None:
        if error:
            raise error

    app: Any = SimpleNamespace(tasks={"shop.charge": SimpleNamespace(apply_async=apply_async)})
    client: Any = SimpleNamespace(_app=app)
    told: list[tuple[Any, ...]] = []
    cluster: Any = SimpleNamespace(
        client=SimpleNamespace(ask=lambda what, tasks: Client.publish(client, tasks)),
        expect=lambda task, script: "3f2a91c4",
        record=lambda kind, *_, **detail: told.append((kind, "in_doubt" in detail, "error" in detail)),
        refused={},
    )
    Publishing.publish_many(cluster, [("shop.charge", None)])
    assert told == [(kind, False, error is not None)]
    assert list(cluster.refused) == (["3f2a91c4"] if error else [])
