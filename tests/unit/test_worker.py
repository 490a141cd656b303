"""What the harness knows of a worker that ends."""

from types import SimpleNamespace
from typing import Any

from assay.event import Kind
from assay.worker import Worker


def test_given_a_worker_that_ends_then_it_is_gone_and_that_is_recorded_once() -> None:
    lives = [True, False]
    process: Any = SimpleNamespace(pid=7, alive=lambda: lives[0], wait=lambda: -9)
    told: list[Kind] = []
    worker = Worker("w1", process, lambda kind, **_: told.append(kind))
    assert not worker.gone()
    assert told == []
    lives.pop(0)
    assert worker.gone()
    assert worker.gone()
    assert told == [Kind.WORKER_EXITED]
