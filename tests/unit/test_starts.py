"""The starts of an invocation, counted over all processes, and in which order they may come."""

import os
import signal
import threading
from pathlib import Path

from assay.event import Point
from assay.hold import Held, Holder
from assay.recorder import Recorder


def test_a_retry_whose_delay_is_scaled_waits_until_the_attempt_before_it_has_ended_or_died(tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    (tmp_path / "starts").mkdir()
    for name in ("ends", "dies"):
        (tmp_path / "starts" / name).touch()

    def recorder() -> Recorder:
        made = Recorder(str(tmp_path / "events"), "w1")
        made.is_scripted = lambda invocation: True
        return made

    def begun(invocation: str) -> tuple[threading.Thread, list[int]]:
        starts: list[int] = []
        other = recorder()

        def begin() -> None:
            other.begin(invocation)
            starts.append(other.start)

        thread = threading.Thread(target=begin)
        thread.start()
        return thread, starts

    first = recorder()
    first.begin("ends")
    first.retries()
    thread, starts = begun("ends")
    thread.join(0.05)
    assert not starts, "both at once"
    first.end()
    thread.join(10.0)
    assert starts == [1]
    ready, held = os.pipe()
    if not (pid := os.fork()):
        try:
            first.begin("dies")
            first.retries()
            os.write(held, b".")
            signal.pause()
        finally:
            os._exit(1)
    os.read(ready, 1)
    thread, starts = begun("dies")
    thread.join(0.05)
    assert not starts
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    thread.join(10.0)
    assert starts == [1]


def test_an_attempt_that_is_held_after_it_has_sent_its_retry_does_not_hold_that_up(tmp_path: Path) -> None:
    """Whoever holds it there may want to see both."""
    (tmp_path / "events").mkdir()
    (tmp_path / "starts").mkdir()
    (tmp_path / "starts" / "both").touch()
    first, second = (Recorder(str(tmp_path / "events"), "w1") for _ in range(2))
    for each in (first, second):
        each.is_scripted = lambda invocation: True
    first.begin("both")
    first.retries()
    Holder(first, str(tmp_path), "nobody-listens")._stand(Held(Point.RETRY_SENT, "both", 0, os.getpid(), "w1"))
    thread = threading.Thread(target=second.begin, args=("both",))
    thread.start()
    thread.join(10.0)
    assert not thread.is_alive()
