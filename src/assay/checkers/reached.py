"""Did each message that the broker took reach a worker, or is it still there?"""

from collections.abc import Mapping

import msgspec

from assay.checkers.words import published, short, since
from assay.life import Life, World
from assay.verdict import Judgement, Outcome, Verdict


class Reached(msgspec.Struct, frozen=True, tag="reached"):
    """No message is taken from its queue by a worker that never knows of it.

    kombu's Redis transport takes a message before it notes it as unacknowledged, and a worker in its warm shutdown may
    have one unread in its connection until its last task ends: killed before, it loses that message, whatever the app
    is configured to.
    """

    besides: list[str] = []  # what a fault took from the queues

    def forgets(self, life: Life) -> bool:
        """It was done."""
        return True

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """What is lost so is told with the next death of a worker."""
        if not world.forgotten and not any(published(life) for life in lives.values()):
            return Judgement("reached", Verdict.UNKNOWN, "nothing was published")
        others = frozenset(self.besides)
        gone = [life for life in lives.values() if life.vanished and life.id not in others]
        if not gone:
            return Judgement("reached", Verdict.HELD, "each message reached a worker, or is in its queue")
        first = gone[0]
        taken = "given back to its queue, taken from it again" if first.deliveries else "taken from its queue"
        put_ns = first.deliveries[-1].at_ns if first.deliveries else first.published_at
        killed = next((event for event in world.exited if event.at_ns > put_ns), None)
        who = f"; the next worker to end was {killed.worker}, at {since(first, killed.at_ns)}" if killed else ""
        more = f" (and {len(gone) - 1} more alike)" if len(gone) > 1 else ""
        return Judgement(
            "reached",
            Verdict.VIOLATED,
            f"{short(first)} was {taken} and reached no worker{who}{more}",
            Outcome.LOST,
            tuple(life.id for life in gone)[:50],
            None,
            {"lost": len(gone)},
        )
