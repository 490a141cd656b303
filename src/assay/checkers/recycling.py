"""Does each child run its number of tasks, and is it really replaced?"""

from collections.abc import Mapping

import msgspec

from assay.life import Life, World
from assay.verdict import Judgement, Verdict


class Recycling(msgspec.Struct, frozen=True, tag="recycling"):
    """At most `most` attempts in any process, and work went on elsewhere after one had run so many.

    `outgrown`: each attempt took more memory than its process may have.
    """

    most: int
    replaced: bool = True
    outgrown: bool = False

    def forgets(self, life: Life) -> bool:
        return True

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """Unknown where no process reached the number."""
        counts = {pid: child.attempts for pid, child in world.children.items()}
        allowed = f"{self.most} {'is' if self.most == 1 else 'are'} allowed"
        which = ", each of which grew it beyond its limit" if self.outgrown else ""
        for pid, number in counts.items():
            if number > self.most:
                return Judgement(
                    "recycling",
                    Verdict.VIOLATED,
                    f"process {pid} ran {number} tasks{which}: {allowed}",
                    None,
                    (),
                    None,
                    {"most": number},
                )
        full = [pid for pid, number in counts.items() if number == self.most]
        if not full:
            return Judgement(
                "recycling",
                Verdict.UNKNOWN,
                f"no process reached {self.most} tasks; the most were {max(counts.values(), default=0)}",
            )
        ends = {pid: world.children[pid].last_at for pid in full}
        later = any(
            child.first_at > min(ends.values())
            for pid, child in world.children.items()
            if pid not in ends or ends[pid] > min(ends.values())
        )
        if self.replaced and not later:
            return Judgement("recycling", Verdict.UNKNOWN, "no process took over after one had run its last task")
        said = f"{len(counts)} processes, none ran more than {self.most}, {len(full)} ran exactly so many"
        return Judgement("recycling", Verdict.HELD, said, None, (), None, {"processes": len(counts), "full": len(full)})


RESTART = "pool_restart"


class Restarted(msgspec.Struct, frozen=True, tag="restarted"):
    """None of the processes `before` the restart runs an attempt that was begun after it."""

    before: list[int]

    def forgets(self, life: Life) -> bool:
        return True

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """New attempts must be in new processes; asked for and answered by nobody is a claim that does not hold."""
        restarts = [event.at_ns for event in world.landed if event.detail.get("fault") == RESTART]
        if not restarts:
            asked = any(event.detail.get("fault") == RESTART for event in world.injected)
            said = "no worker answered it" if asked else "it was not asked for"
            return Judgement("restarted", Verdict.VIOLATED if asked else Verdict.UNKNOWN, f"{RESTART}: {said}")
        later = [pid for pid, child in world.children.items() if child.last_at > restarts[0]]
        kept = [pid for pid in later if pid in self.before]
        new = [pid for pid in later if pid not in self.before]
        if kept:
            said = f"the pool answered and kept its processes: attempts ran in {', '.join(map(str, kept))} afterwards"
            return Judgement("restarted", Verdict.VIOLATED, said)
        if not new:
            return Judgement("restarted", Verdict.UNKNOWN, "no attempt began after the restart")
        return Judgement(
            "restarted",
            Verdict.HELD,
            f"processes {', '.join(map(str, self.before))} were replaced by {', '.join(map(str, new))}",
        )
