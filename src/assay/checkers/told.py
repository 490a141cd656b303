"""Was everybody who is to be told of an outcome told, and once?"""

from collections import Counter
from collections.abc import Mapping

import msgspec

from assay.checkers.words import chosen, short, tale
from assay.life import Life, World
from assay.verdict import Judgement, Verdict


class Told(msgspec.Struct, frozen=True, tag="told"):
    """Celery's signals, the task's own hooks and what was linked to it ran exactly so often for each invocation.

    `times` has a number for each name that is looked at: of a signal (task_success), of a hook (on_success), `link`
    and `link_error`. task_postrun is due once for each attempt that began, of a process that lived on.
    """

    ids: list[str]
    times: dict[str, int]

    def forgets(self, life: Life) -> bool:
        return bool(self.ids)

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """Unknown where one of them was not published, or where the run did not settle: then only too much is wrong."""
        mine = chosen(lives, self.ids)
        over = world.settled is True and all(life.publish is not None for life in mine)
        for life in mine:
            wrong = _wrong(life, self.times, world, over)
            if wrong:
                said = f"{short(life)}: {', '.join(wrong)}; {tale(life, world) or 'no attempt began'}"
                return Judgement("told", Verdict.VIOLATED, said, None, (life.id,))
        if not over:
            return Judgement("told", Verdict.UNKNOWN, "what was to be told had not come to its end")
        return Judgement("told", Verdict.HELD, "signals, hooks and callbacks were told of each outcome once")


def _wrong(life: Life, times: Mapping[str, int], world: World, over: bool) -> list[str]:
    found = Counter(str(event.detail.get("name")) for event in (*life.signals, *life.hooks))
    found |= {"task_revoked": len(life.revocations), "task_postrun": life.ends}
    begun = sum(attempt.pid not in world.dead or attempt.ended_at is not None for attempt in life.attempts)
    return [
        f"{name} {_often(found[name])}, {_due(due)}"
        for name, due in {**times, "task_postrun": begun}.items()
        if found[name] > due or (over and found[name] < due)
    ]


def _often(number: int) -> str:
    return "was not told" if number == 0 else "was told once" if number == 1 else f"was told {number} times"


def _due(number: int) -> str:
    return "which was not due" if number == 0 else f"{number} {'is' if number == 1 else 'are'} due"
