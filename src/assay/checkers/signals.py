"""Were hooks and signals told of each outcome once?"""

from collections.abc import Mapping

import msgspec

from assay.checkers.words import chosen, short
from assay.life import Life, World
from assay.verdict import Judgement, Verdict


class Signals(msgspec.Struct, frozen=True, tag="signals"):
    """task_success and task_failure at most once for each finished attempt, and no failure after a success."""

    ids: list[str] = []

    def forgets(self, life: Life) -> bool:
        return not _fault(life)

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """A body that ran twice may succeed twice; that is the delivery checker's business."""
        for life in chosen(lives, self.ids):
            fault = _fault(life)
            if fault:
                return Judgement("signals", Verdict.VIOLATED, f"{short(life)}: {fault}", None, (life.id,))
        return Judgement("signals", Verdict.HELD, "each outcome was told once")


def _fault(life: Life) -> str:
    names = [str(event.detail.get("name")) for event in life.signals]
    successes, failures = names.count("task_success"), names.count("task_failure")
    if successes > max(life.done, 1):
        return f"task_success was sent {successes} times for {life.done} finished bodies"
    if failures > 1:
        return f"task_failure was sent {failures} times"
    if successes and "task_failure" in names[names.index("task_success") :]:
        return "task_failure was sent after task_success"
    return ""
