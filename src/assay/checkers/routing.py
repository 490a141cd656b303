"""Did each message travel by its queue, to workers that consume it?"""

from collections.abc import Mapping

import msgspec

from assay.checkers.words import short
from assay.event import Event
from assay.life import Life, World
from assay.verdict import Judgement, Verdict


class Routing(msgspec.Struct, frozen=True, tag="routing"):
    """`queues` by task, `consumers` by worker: every delivery, redeliveries and retries included, is on its queue.

    Without `queues` what was published to another queue than its task's own is looked at too, by `consumers` alone.
    """

    queues: dict[str, str] = {}
    consumers: dict[str, list[str]] = {}

    def forgets(self, life: Life) -> bool:
        return not self._strayed(life, life.deliveries[0])

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """Unknown where nothing was delivered."""
        deliveries = sum(number for task, number in world.forgotten.items() if self._concerns(task))
        for life in lives.values():
            for event in life.deliveries if self._concerns(life.task) else ():
                deliveries += 1
                strayed = self._strayed(life, event)
                if strayed:
                    return Judgement("routing", Verdict.VIOLATED, f"{short(life)} {strayed}", None, (life.id,))
        if not deliveries:
            return Judgement("routing", Verdict.UNKNOWN, "nothing was delivered")
        return Judgement(
            "routing",
            Verdict.HELD,
            f"{deliveries} deliveries, each by its queue",
            None,
            (),
            None,
            {"deliveries": deliveries},
        )

    def _concerns(self, task: str) -> bool:
        return bool(self.queues.get(task) or not self.queues)

    def _strayed(self, life: Life, event: Event) -> str:
        due, queue = self.queues.get(life.task), str(event.detail.get("queue"))
        if due and queue != due:
            return f"was delivered by queue {queue}, its own is {due}"
        if self._concerns(life.task) and queue not in self.consumers.get(event.worker, [queue]):
            return f"was delivered to {event.worker}, which does not consume {queue}"
        return ""
