"""Did each message travel by its queue, to workers that consume it?"""

from collections.abc import Mapping

import msgspec

from assay.checkers.words import short
from assay.life import Life, World
from assay.verdict import Judgement, Verdict


class Routing(msgspec.Struct, frozen=True, tag="routing"):
    """`queues` by task, `consumers` by worker: every delivery, redeliveries and retries included, is on its queue."""

    queues: dict[str, str]
    consumers: dict[str, list[str]] = {}

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """Unknown where nothing was delivered."""
        deliveries = 0
        for life in lives.values():
            due = self.queues.get(life.task)
            for event in life.deliveries if due else ():
                deliveries += 1
                queue = str(event.detail.get("queue"))
                if queue != due:
                    return self._violated(life, f"was delivered by queue {queue}, its own is {due}")
                if self.consumers and queue not in self.consumers.get(event.worker, [queue]):
                    return self._violated(life, f"was delivered to {event.worker}, which does not consume {queue}")
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

    def _violated(self, life: Life, what: str) -> Judgement:
        return Judgement("routing", Verdict.VIOLATED, f"{short(life)} {what}", None, (life.id,))
