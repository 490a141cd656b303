"""When numbers of quorum queues are newer than a moment: told by a queue that was made after it."""

import time

from assay.brokers.quorum_ticks import Ticks


class Host:
    """A virtual host whose queues show their messages at the next tick."""

    def __init__(self) -> None:
        self.now: dict[str, int] = {}
        self.told: dict[str, int] = {}
        self.ticks = Ticks(self.make, self.now.pop)

    def make(self, name: str) -> None:
        self.now[name] = 1

    def tick(self) -> None:
        self.told = dict(self.now)

    def newer(self, than_ns: int) -> bool:
        return self.ticks.newer(than_ns, self.told)


def test_given_a_moment_then_numbers_are_newer_only_after_a_whole_tick() -> None:
    host, moment = Host(), time.monotonic_ns()
    assert not host.newer(moment)
    assert not host.newer(moment), "however often one asks"
    assert len(host.now) == 1
    host.tick()
    assert host.newer(moment)
    assert host.newer(moment)
    assert host.now == {}, "the queue is deleted"


def test_given_something_that_happened_meanwhile_then_a_further_tick_is_waited_for() -> None:
    host = Host()
    assert not host.newer(time.monotonic_ns())
    later = time.monotonic_ns()
    host.tick()
    assert not host.newer(later), "this tick may have been before it"
    assert len(host.now) == 1
    host.tick()
    assert host.newer(later)
