"""Messages that are open only because a test never let anybody take them: they say nothing about the app."""

from collections.abc import Mapping, Sequence

import msgspec

from assay.checker import Checker, check
from assay.checkers import Attempts, Delivery, FinalState
from assay.checkers.liveness import asked
from assay.checkers.words import short
from assay.event import Event, Kind
from assay.fold import fold
from assay.life import Life, World
from assay.verdict import Judgement, Outcome, Verdict


def untried(events: Sequence[Event], beyond_s: float) -> dict[str, str]:
    """Invocation -> what the test would have had to do before anybody could take it.

    `beyond_s` is how far a clock must be ahead for the broker to give back what a dead worker had; 0: it does at once.
    """
    lives, world = fold(events)
    spawned = [event for event in events if event.kind is Kind.WORKER_SPAWNED]
    return {
        life.id: f"{short(life)} {why}"
        for life in lives.values()
        if life.pending and (why := _why(life, world, spawned, beyond_s))
    }


def _why(life: Life, world: World, spawned: Sequence[Event], beyond_s: float) -> str:
    if not spawned:
        return "waits in its queue, and no worker was started: call start_worker()"
    gone = {event.worker: event for event in world.exited}
    if life.unacked:
        had = life.deliveries[-1].worker if life.deliveries else ""
        if had in gone and beyond_s and not _let_pass(gone[had], world, spawned, beyond_s):
            return (
                f"is unacknowledged, its worker {had} is gone, and the visibility timeout was not let pass: "
                "call recover()"
            )
    elif all(each.worker in gone and asked(gone[each.worker], world) for each in spawned):
        return f"waits in queue {life.queued}, and no worker is left: start another one, or call recover()"
    return ""


def _let_pass(exit_: Event, world: World, spawned: Sequence[Event], beyond_s: float) -> bool:
    """Whether a worker came afterwards in whose eyes the message was overdue."""
    needed_s = world.offsets.get(exit_.worker, 0.0) + beyond_s
    later = (each for each in spawned if each.at_ns > exit_.at_ns)
    return any(float(each.detail.get("clock_offset_s") or 0) >= needed_s for each in later)


def judge(checkers: Sequence[Checker], events: Sequence[Event], waiting: Mapping[str, str]) -> list[Judgement]:
    """What the checkers say; unknown where a violation is one of nothing but messages that are `waiting`."""
    return [
        _weighed(checker, judgement, events, waiting)
        for checker, judgement in zip(checkers, check(checkers, events), strict=True)
    ]


def _weighed(checker: Checker, judgement: Judgement, events: Sequence[Event], waiting: Mapping[str, str]) -> Judgement:
    if judgement.verdict is not Verdict.VIOLATED or not waiting or not _asks_for_more(checker, judgement):
        return judgement
    theirs = [each for each in judgement.invocations if each in waiting]
    if isinstance(checker, Delivery):  # of many that broke it, the others may have done so by themselves
        others = check([msgspec.structs.replace(checker, besides=[*checker.besides, *waiting])], events)[0]
        if others.verdict is Verdict.VIOLATED:
            return others
        theirs = theirs or list(waiting)  # a judgement names the first of many
    elif not theirs or len(theirs) < len(judgement.invocations):
        return judgement
    more = f" (and {len(theirs) - 1} more alike)" if len(theirs) > 1 else ""
    return msgspec.structs.replace(judgement, verdict=Verdict.UNKNOWN, reason=f"{waiting[theirs[0]]}{more}")


def _asks_for_more(checker: Checker, judgement: Judgement) -> bool:
    """Whether what broke it is that something has not happened yet."""
    if isinstance(checker, Attempts):
        return int(judgement.figures["attempts"]) < checker.least
    return judgement.outcome is Outcome.STUCK or isinstance(checker, FinalState)
