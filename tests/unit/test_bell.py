"""Who records something wakes the harness where it waits, and spends nothing where it does not."""

import time
from pathlib import Path

import pytest

from assay.bell import AWAKE, WAITS, Bell, Ringer


@pytest.fixture
def bell(tmp_path: Path) -> Bell:
    made = Bell(tmp_path / "bell")
    yield made
    made.close()


def test_given_a_harness_that_listens_when_it_rings_then_the_wait_ends_at_once(bell: Bell, tmp_path: Path) -> None:
    ringer = Ringer(tmp_path / "bell")
    bell.listen()
    ringer.ring()
    began = time.monotonic()
    bell.wait(30.0)
    assert time.monotonic() - began < 15.0


def test_given_a_harness_that_does_not_listen_then_nothing_is_sent(bell: Bell, tmp_path: Path) -> None:
    Ringer(tmp_path / "bell").ring()
    began = time.monotonic()
    bell.wait(0.05)
    assert time.monotonic() - began >= 0.05


def test_given_many_events_then_only_the_first_one_rings(bell: Bell, tmp_path: Path) -> None:
    ringer = Ringer(tmp_path / "bell")
    bell.listen()
    assert (tmp_path / "bell").read_bytes()[0] == WAITS
    for _ in range(1000):  # more than a socket holds
        ringer.ring()
    assert (tmp_path / "bell").read_bytes()[0] == AWAKE
    assert bell._socket.recv(64)
    with pytest.raises(BlockingIOError):
        bell._socket.recv(64)


def test_given_a_harness_that_is_gone_then_ringing_harms_nobody(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "bell")
    ringer = Ringer(tmp_path / "bell")
    bell.listen()
    bell._socket.close()
    ringer.ring()
    assert (tmp_path / "bell").read_bytes()[0] == AWAKE
