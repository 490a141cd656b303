"""Were hooks and signals told of each outcome once?"""

from collections import Counter
from collections.abc import Mapping

import msgspec

from assay.checkers.words import chosen, short
from assay.life import Life, World
from assay.verdict import Judgement, Verdict


class Signals(msgspec.Struct, frozen=True, tag="signals"):
    """task_success and task_failure at most once for each finished attempt, and no failure after a success."""

    ids: list[str] = []

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """A body that ran twice may succeed twice; that is the delivery checker's business."""
        for life in chosen(lives, self.ids):
            names = [str(event.detail.get("name")) for event in life.signals]
            counts = Counter(names)
            if counts["task_success"] > max(life.done, 1):
                return self._violated(
                    life, f"task_success was sent {counts['task_success']} times for {life.done} finished bodies"
                )
            if counts["task_failure"] > 1:
                return self._violated(life, f"task_failure was sent {counts['task_failure']} times")
            if "task_success" in names and "task_failure" in names[names.index("task_success") :]:
                return self._violated(life, "task_failure was sent after task_success")
        return Judgement("signals", Verdict.HELD, "each outcome was told once")

    def _violated(self, life: Life, what: str) -> Judgement:
        return Judgement("signals", Verdict.VIOLATED, f"{short(life)}: {what}", None, (life.id,))
