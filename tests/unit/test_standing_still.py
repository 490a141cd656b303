"""A worker is stopped for a fault only where no message is on its way into it."""

from types import SimpleNamespace
from typing import Any

import pytest

from assay import standing_still
from assay.connections import Connection, Peer
from assay.errors import HarnessError
from assay.standing_still import StandingStill


class Stopped:
    """A worker whose main thread is in the same system call whenever it is looked at."""

    name, pid = "w1", 4711

    def __init__(self, *, waits: bool = True, for_thread: bool = False) -> None:
        self.told: list[str] = []
        self.process = SimpleNamespace(waits=lambda: waits, waits_for_thread=lambda: for_thread, slept=self.slept)

    def slept(self) -> int:
        return len(self.told)

    def pause(self) -> None:
        self.told.append("pause")

    def resume(self) -> None:
        self.told.append("resume")


def stands(
    monkeypatch: pytest.MonkeyPatch,
    worker: Any,
    *,
    unread: list[int] | None = None,
    stops: bool = False,
    pool: str = "prefork",
) -> bool:
    """Whether it is found standing still. `unread` bytes at each look at its connection."""
    looks = iter(unread or [])
    monkeypatch.setattr(standing_still, "STILL_S", 0.0)
    monkeypatch.setattr(standing_still, "LOOKS", 1)
    monkeypatch.setattr(
        standing_still, "established", lambda *_: [Connection(Peer("127.0.0.1", 40000), Peer("127.0.0.1", 6379), 5)]
    )
    monkeypatch.setattr(standing_still, "unread", lambda *_: next(looks, 0))
    broker: Any = SimpleNamespace(unblock=lambda clients: 1)
    still = StandingStill(broker, "redis://127.0.0.1:6379/0", pool, lambda _: stops, lambda *_, **__: None)
    try:
        with still.of(worker):
            assert worker.told == ["pause"]
    except HarnessError:
        return False
    finally:
        assert worker.told[-1] == "resume"
    return True


@pytest.mark.parametrize(("unread", "found"), [([0, 0], True), ([500], False), ([0, 9], False)])
def test_given_a_message_that_came_before_its_wait_was_ended_then_the_worker_is_let_run(
    monkeypatch: pytest.MonkeyPatch, unread: list[int], found: bool
) -> None:
    assert stands(monkeypatch, Stopped(), unread=unread) is found


@pytest.mark.parametrize(("stops", "found"), [(True, True), (False, False)])
def test_given_a_main_thread_that_waits_for_another_then_it_may_have_a_message_unless_it_stops(
    monkeypatch: pytest.MonkeyPatch, stops: bool, found: bool
) -> None:
    assert stands(monkeypatch, Stopped(waits=False, for_thread=True), stops=stops) is found


def test_given_a_kernel_that_lends_no_sockets_then_what_it_does_not_tell_is_not_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker = Stopped()
    with monkeypatch.context() as patch:

        def forbids(*_: Any) -> int:
            raise HarnessError("the kernel does not lend the sockets of other processes")

        patch.setattr(standing_still, "unread", forbids)
        patch.setattr(standing_still, "established", forbids)
        broker: Any = SimpleNamespace(unblock=lambda clients: 1)
        url = "redis://127.0.0.1:6379/0"
        with StandingStill(broker, url, "prefork", lambda _: False, lambda *_, **__: None).of(worker):  # type: ignore[arg-type]
            assert worker.told == ["pause"]
    assert worker.told == ["pause", "resume"]


def test_given_a_solo_worker_then_what_it_is_at_is_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    assert stands(monkeypatch, Stopped(waits=False), pool="solo")
    assert not stands(monkeypatch, Stopped(waits=False))
