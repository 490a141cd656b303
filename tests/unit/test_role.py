"""What a client of the harness does to the result backend."""

import socket

import fakeredis
import pytest
from celery import Celery

from assay.role import Client


@pytest.mark.parametrize("looks_up", [True, False], ids=["deduplicates", "does not"])
def test_what_is_forgotten_is_gone_but_that_a_success_was_one_where_a_worker_looks_it_up(looks_up: bool) -> None:
    app = Celery("shop", backend="redis://nowhere.invalid/0", set_as_current=False)
    app.conf.update(worker_deduplicate_successful_tasks=looks_up, result_expires=60)
    app.backend.client = fakeredis.FakeRedis()
    app.backend.store_result("done", "x" * 100_000, "SUCCESS")
    app.backend.store_result("failed", ValueError("x" * 100_000), "FAILURE")
    app.backend.store_result("other", "x" * 100_000, "SUCCESS")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Client(app, theirs).forget(["done", "failed", "never"])
    states = {each: app.AsyncResult(each).state for each in ("done", "failed", "never", "other")}
    expected = {
        "done": "SUCCESS" if looks_up else "PENDING",
        "failed": "PENDING",
        "never": "PENDING",
        "other": "SUCCESS",
    }
    assert states == expected
    left = {each: app.backend.client.strlen(app.backend.get_key_for_task(each)) for each in states}
    assert left["done"] < 1_000
    assert left["other"] > 100_000
    if looks_up:
        assert 0 < app.backend.client.ttl(app.backend.get_key_for_task("done")) <= 60, "it still expires"
