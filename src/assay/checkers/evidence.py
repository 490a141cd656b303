"""Did the faults land, was work in flight, did the run settle? Without it nothing else counts."""

from collections.abc import Iterable, Mapping

import msgspec

from assay.counted import counted
from assay.event import Event
from assay.life import Life, World
from assay.verdict import Judgement, Verdict


class Evidence(msgspec.Struct, frozen=True, tag="evidence"):
    """At least `landed` faults landed, with an attempt or a delivery open when they did, and the run settled.

    `connected`: no worker had lost its connection to the broker before the first of them struck.
    """

    landed: int = 1
    in_flight: bool = True
    connected: bool = False
    settled: bool = True
    of: str = ""  # of this fault alone

    def forgets(self, life: Life) -> bool:
        """What was in flight when a fault landed is kept by the fold itself."""
        return True

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """Missing evidence is unknown: a fault that never landed proves nothing."""
        landed = [event for event in world.landed if self.of in ("", event.detail.get("fault"))]
        if len(landed) < self.landed:
            some = f"only {len(landed)} of {self.landed} faults landed" if landed else f"no {self.of or 'fault'} landed"
            return Judgement("evidence", Verdict.UNKNOWN, some)
        lost = world.disconnected
        if self.connected and lost is not None and landed and lost.at_ns < _struck_ns(landed[0], world):
            said = f"{lost.worker} had lost its connection before the fault landed: {lost.detail.get('error')}"
            return Judgement("evidence", Verdict.UNKNOWN, said)
        if self.in_flight and not any(
            _in_flight(life, event.at_ns, world) for event in world.landed for life in lives.values()
        ):
            return Judgement("evidence", Verdict.UNKNOWN, "no work was in flight when the fault landed")
        if self.settled and world.settled is not True:
            return Judgement(
                "evidence",
                Verdict.UNKNOWN,
                f"the run did not settle: {', '.join(world.open[:3]) or 'its deadline came first'}",
            )
        return Judgement(
            "evidence",
            Verdict.HELD,
            f"{counted(len(world.landed), 'fault')} landed",
            None,
            (),
            None,
            {"landed": len(world.landed)},
        )


def _struck_ns(landed: Event, world: World) -> int:
    """When it acted: some say so, as they first wait for their moment; else when it was injected."""
    begun = max((each.at_ns for each in world.injected if each.at_ns <= landed.at_ns), default=landed.at_ns)
    return int(landed.detail.get("struck_ns") or begun)


def _in_flight(life: Life, at_ns: int, world: World) -> bool:
    """Delivered before and not finished by then: it waits for its time, an attempt is open, or a report is due.

    A retry has the id of what it retries, so deliveries and their ends are counted; those of a process that was dead
    before the fault was injected have no end.
    """
    begun = max((each.at_ns for each in world.injected if each.at_ns <= at_ns), default=at_ns)

    def number(events: Iterable[Event]) -> int:
        return sum(each.at_ns <= at_ns and world.dead.get(each.pid, begun) >= begun for each in events)

    if number(life.deliveries) > number((*life.acks, *life.rejects)):
        return True
    for attempt in life.attempts:
        if attempt.started_at <= at_ns and (attempt.ended_at is None or attempt.ended_at > at_ns):
            return True
    held = [event for event in life.holds if event.at_ns <= at_ns]
    return bool(held) and held[-1].kind == "held"
