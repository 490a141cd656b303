"""Was each invocation's work done, and how often? Multiset algebra over the history (Jepsen's total queue)."""

from collections import Counter
from collections.abc import Mapping
from statistics import median
from typing import Literal

import msgspec

from assay.checkers.recovery import recoveries
from assay.checkers.words import beside, chosen, forgotten, killed, names, published, short, since, struck_beside, tale
from assay.errors import UsageError
from assay.event import Kind
from assay.life import Life, World
from assay.selection import nearest
from assay.verdict import BESIDE, Judgement, Outcome, Verdict

Contract = Literal["at_least_once", "at_most_once", "effectively_once", "any"]


class Delivery(msgspec.Struct, frozen=True, tag="delivery"):
    """Work done against the contract: lost, duplicated, recovered, stuck, unexpected, in doubt."""

    contract: Contract
    ids: list[str] = []
    task: str = ""  # without ids: of this task alone
    besides: list[str] = []  # without ids: but these
    received: bool = False  # but what reached no worker: that is for `Reached`

    def __post_init__(self) -> None:
        if self.contract not in BREAKS:
            known = ", ".join(BREAKS)
            raise UsageError(f"there is no contract {self.contract}{nearest(self.contract, BREAKS)}; there are {known}")

    def forgets(self, life: Life) -> bool:
        """It is done once, which breaks no contract."""
        return True

    def judge(self, lives: Mapping[str, Life], world: World) -> Judgement:
        """Any outcome is shown; which ones violate depends on the contract."""
        mine = [life for life in self._chosen(lives) if life.publish is not Kind.PUBLISH_FAILED]
        plain = world.forgotten[self.task] if self.task else forgotten(world, self.ids)
        if not mine and not plain:
            return Judgement("delivery", Verdict.UNKNOWN, "nothing was published")
        outcomes = {life.id: outcome(life, world) for life in mine}
        broken = [life for life in mine if self._breaks(life, outcomes[life.id], world)]
        narrow = bool(self.ids or self.task)
        unexpected = [life for life in lives.values() if life.publish is None and life.attempts and not narrow]
        counts = Counter(str(each) for each in outcomes.values()) + Counter({str(Outcome.OK): plain})
        worst = max((outcomes[life.id] for life in broken or mine), default=Outcome.OK, key=lambda each: each.rank)
        recovered = [life for life in mine if outcomes[life.id] is Outcome.RECOVERED]
        waits = [wait for life in recovered for wait in recoveries(life, world)]
        lost = [life for life in mine if outcomes[life.id] is Outcome.LOST and (self.besides or not life.faults)]
        others = Counter(fault for life in lost if (fault := struck_beside(life, world)))
        verdict = Verdict.VIOLATED if broken or unexpected else Verdict.HELD
        return Judgement(
            "delivery",
            verdict,
            self._reason(broken or mine, outcomes, world, unexpected, plain),
            worst,
            tuple(life.id for life in unexpected or broken or mine)[:50],
            median(waits) if waits else None,
            dict(counts)
            | {
                "attempted": len(mine) + plain,
                "acknowledged": sum(published(life) for life in mine) + plain,
                "ok": sum(life.done > 0 for life in mine) + plain,
            }
            | ({BESIDE: dict(others)} if others else {}),
        )

    def _chosen(self, lives: Mapping[str, Life]) -> list[Life]:
        others = frozenset(self.besides)
        return [
            life
            for life in chosen(lives, self.ids)
            if life.id not in others
            and (not self.task or life.task == self.task)
            and not (self.received and life.vanished)
        ]

    def _breaks(self, life: Life, what: Outcome, world: World) -> bool:
        if self.contract == "at_most_once" and len(life.attempts) > 1 + len(life.retries_sent):
            return True
        if self.contract == "at_least_once" and what is Outcome.FAILED:
            # to fail by itself is a task's right; what was interrupted was to be done in the end
            planned = bool(life.attempts) and life.attempts[-1].raised == PLANNED
            return not planned and (bool(life.faults) or any(killed(attempt, world) for attempt in life.attempts))
        return what in BREAKS[self.contract]

    def _reason(
        self, told: list[Life], outcomes: dict[str, Outcome], world: World, unexpected: list[Life], plain: int
    ) -> str:
        if unexpected:
            return f"{len(unexpected)} attempts of invocations that nobody published: {names(unexpected)}"
        first = max(told, key=lambda life: outcomes[life.id].rank, default=None)
        what = Outcome.OK if first is None else outcomes[first.id]
        if first is None or what is Outcome.OK:
            return f"{len(told) + plain} done once"
        more = sum(outcomes[life.id] is what for life in told) - 1
        others = f" (and {more} more alike)" if more else ""
        return f"{short(first)} {WORDS[what]}: {_what_happened(first, what, world)}{others}"


BREAKS: dict[Contract, set[Outcome]] = {
    "any": set(),
    "at_most_once": {Outcome.DUPLICATED},
    "at_least_once": {Outcome.LOST, Outcome.STUCK, Outcome.LOOPING},
    "effectively_once": {Outcome.LOST, Outcome.STUCK, Outcome.DUPLICATED, Outcome.LOOPING, Outcome.FAILED},
}
FAILED = "FAILURE"  # celery.states
PLANNED = "PlannedFailure"  # what a hollow body raises where its script says that it fails (hollow.py)
WORDS = {
    Outcome.RECOVERED: "recovered",
    Outcome.FAILED: "failed",
    Outcome.REVOKED: "was revoked",
    Outcome.IN_DOUBT: "is in doubt",
    Outcome.DUPLICATED: "was done more than once",
    Outcome.STUCK: "is stuck",
    Outcome.LOOPING: "runs again and again",
    Outcome.LOST: "is lost",
}


def outcome(life: Life, world: World) -> Outcome:
    """What happened to one invocation, from executions and the broker, never from the result backend alone."""
    done = life.done
    if done > 1:
        return Outcome.DUPLICATED
    if done == 1:
        first = next(number for number, attempt in enumerate(life.attempts) if attempt.done)
        again = any(killed(attempt, world) for attempt in life.attempts[:first]) or _redelivered(life)
        return Outcome.RECOVERED if again else Outcome.OK
    if life.publish is Kind.PUBLISH_IN_DOUBT:
        return Outcome.IN_DOUBT
    if life.pending:
        return Outcome.STUCK
    if world.settled is False and any(
        attempt.ended_at is None and attempt.pid not in world.dead for attempt in life.attempts
    ):
        return Outcome.STUCK
    if life.revoked:
        return Outcome.REVOKED
    last = life.attempts[-1] if life.attempts else None
    if last is not None and last.raised == "SystemExit" and life.result != FAILED:
        return Outcome.LOST  # a worker that gives up its children by SIGTERM ends bodies so, and records no failure
    # what fails before its body (in before_start, or where STARTED cannot be stored) has raised nothing in it
    if (
        last is not None
        and last.ended_at is not None
        and last.state != "RETRY"
        and (last.raised or last.state == FAILED)
    ):
        return Outcome.FAILED
    if last is not None and any(event.kind is Kind.HARD_LIMIT for event in life.limits):
        return Outcome.FAILED
    return Outcome.LOST


def _redelivered(life: Life) -> bool:
    return len(life.deliveries) > max(1, len(life.calls)) + len(life.retries_sent)


def _what_happened(life: Life, what: Outcome, world: World) -> str:
    if what is Outcome.STUCK:
        where = (
            f"it waits in queue {life.queued}"
            if life.queued
            else "it is unacknowledged"
            if life.unacked
            else "an attempt of it still runs"
        )
        return f"{where}; {tale(life, world) or 'no attempt began'}"
    if what is Outcome.LOST and not (life.calls or life.deliveries or life.attempts):
        return "it was never published"  # a chord's body, say: what would have published it did not get so far
    story = tale(life, world) or (
        "it was received and no attempt began" if life.deliveries else "no worker received it"
    )
    for fault in life.faults[:1]:
        point = f" at {fault.detail['point']}" if fault.detail.get("point") else ""
        story += f"; the fault: {fault.detail.get('fault')}{point} at {since(life, fault.at_ns)}"
    if what is Outcome.LOST and not life.faults and (struck := beside(life, world)):
        story += f"; {struck}"
    if what is Outcome.LOST:
        story += "; no attempt afterwards, and the broker no longer has it"
    return story
