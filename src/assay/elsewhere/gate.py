"""Attempts that stand at a crash point elsewhere: read from their events, let go through the channel."""

from collections.abc import Callable

from assay.elsewhere.channel import Here
from assay.errors import HarnessError
from assay.event import Event, Kind, Point
from assay.gate import Gate, Waiting
from assay.hold import Held


class FarWaiting(Waiting):
    """One of them."""

    def __init__(self, held: Held, let_go: Callable[[], None]) -> None:
        self.held = held
        self.pid = held.pid
        self.released = False
        self._let_go = let_go

    def release(self) -> None:
        if not self.released:
            self.released = True
            self._let_go()


class FarGate(Gate):
    """Hears the cluster's events; who stands there for longest comes first."""

    def __init__(self, channel: Here) -> None:
        self.name = ""
        self._channel = channel
        self._standing: list[FarWaiting] = []
        self._handed_on: list[FarWaiting] = []

    def hear(self, event: Event) -> None:
        """What is said of an attempt that stands there, or goes on by itself."""
        if event.kind is Kind.HELD:
            token = str(event.detail["token"])
            point, start = Point(event.detail["point"]), int(event.detail["start"])
            held = Held(point, event.invocation, start, event.pid, event.worker, int(event.detail.get("nth", 0)))
            self._standing.append(FarWaiting(held, lambda: self._channel.release(token)))

    def next(self, timeout_s: float) -> Waiting | None:
        """Does not wait: they are heard of where the cluster waits for events."""
        if not self._standing:
            return None
        self._handed_on = [each for each in self._handed_on if not each.released] + [self._standing[0]]
        return self._standing.pop(0)

    def wait(
        self,
        invocation: str,
        point: Point,
        *,
        timeout_s: float,
        start: int | None = None,
        alive: Callable[[], None] = lambda: None,
    ) -> Waiting:
        raise HarnessError("on other machines only a chaos run waits at crash points")

    def close(self) -> None:
        for each in self._standing + self._handed_on:
            each.release()
