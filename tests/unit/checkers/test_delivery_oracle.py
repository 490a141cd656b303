"""Delivery against a second opinion, written for this test alone: slow, over raw events, an invocation at a time."""

from collections import Counter

import pytest
from hypothesis import given, settings
from random_histories import histories

from assay.checker import check
from assay.checkers import Delivery
from assay.event import Event, Kind
from assay.verdict import BESIDE, Verdict

WORST_LAST = ["ok", "recovered", "failed", "revoked", "in doubt", "duplicated", "stuck", "looping", "lost"]
BROKEN = {
    "any": [],
    "at_most_once": ["duplicated"],
    "at_least_once": ["lost", "stuck"],
    "effectively_once": ["lost", "stuck", "duplicated", "failed"],
}


def deaths(events: list[Event]) -> set[int]:
    """Processes that are known to be gone at the end."""
    gone: set[int] = set()
    for event in events:
        kind, detail = event.kind, event.detail
        if kind == "fault_landed" and detail.get("signal") in (None, "SIGKILL"):
            gone.add(detail["target"])
        if kind == "child_lost":
            gone.add(detail["child"])
        if kind == "child_stopping":
            gone.add(event.pid)
        if kind == "worker_exited":
            gone |= {each.pid for each in events if each.kind == "child_started" and each.worker == event.worker}
    return gone


def fate(events: list[Event], invocation: str) -> str:
    """What the names of the outcomes mean, looked up in the events."""
    mine = [event for event in events if event.invocation == invocation]
    starts = [event for event in mine if event.kind == "attempt_started"]
    bodies = {event.attempt: event.detail.get("raised") for event in mine if event.kind == "body_exited"}
    states = {event.attempt: event.detail["state"] for event in mine if event.kind == "attempt_ended"}
    gone = deaths(events)
    works = [event for event in starts if event.attempt in bodies and not bodies[event.attempt]]
    if len(works) >= 2:
        return "duplicated"
    if works:
        before = starts[: starts.index(works[0])]
        died = [each for each in before if each.attempt not in states and each.pid in gone]
        kinds = Counter(event.kind for event in mine)
        return "recovered" if died or kinds[Kind.RECEIVED] > 1 + kinds[Kind.SENT] else "ok"
    if [event.kind for event in mine if event.kind.startswith("publish")][-1] == "publish_in_doubt":
        return "in doubt"
    first = next(number for number, event in enumerate(events) if event.invocation == invocation)
    listed = [event for event in events[first:] if event.kind in ("final_queue", "final_unacked")]
    if any(invocation in event.detail["ids"] for event in listed):
        return "stuck"
    open_ = [each for each in starts if each.attempt not in states and each.pid not in gone]
    if open_ and any(event.kind == "unsettled" for event in events):
        return "stuck"
    if any(event.kind == "revoked" for event in mine):
        return "revoked"
    if not starts:
        return "lost"
    last = starts[-1].attempt
    results = [event.detail["state"] for event in mine if event.kind == "final_result"]
    if bodies.get(last) == "SystemExit" and results != ["FAILURE"]:
        return "lost"
    if states.get(last) == "FAILURE" or (bodies.get(last) and last in states and states[last] != "RETRY"):
        return "failed"
    return "failed" if any(event.kind == "hard_limit" for event in mine) else "lost"


def interrupted(events: list[Event], invocation: str) -> bool:
    """A fault was its own, or an attempt of it was cut off by its process's death."""
    mine = [event for event in events if event.invocation == invocation]
    states = {event.attempt for event in mine if event.kind == "attempt_ended"}
    gone = deaths(events)
    cut = [e for e in mine if e.kind == "attempt_started" and e.attempt not in states and e.pid in gone]
    return bool(cut) or any(event.kind == "fault_landed" for event in mine)


def second_opinion(events: list[Event], contract: str) -> tuple[Verdict, str | None, dict[str, int]]:
    last = {event.invocation: event.kind for event in events if event.kind.startswith("publish")}
    mine = [each for each, kind in last.items() if kind != "publish_failed"]
    if not mine:
        return Verdict.UNKNOWN, None, {}
    fates = {each: fate(events, each) for each in mine}
    broken = [each for each in mine if fates[each] in BROKEN[contract]]
    kinds = Counter((event.kind, event.invocation) for event in events)
    if contract == "at_least_once":
        broken += [each for each in mine if fates[each] == "failed" and interrupted(events, each)]
    if contract == "at_most_once":
        broken += [each for each in mine if kinds["attempt_started", each] > 1 + kinds["sent", each]]
    stray = any(event.kind == "attempt_started" and event.invocation not in last for event in events)
    worst = max((fates[each] for each in broken or mine), key=WORST_LAST.index)
    done = {event.invocation for event in events if event.kind == "body_exited" and not event.detail.get("raised")}
    figures = {each: list(fates.values()).count(each) for each in set(fates.values())} | {
        "attempted": len(mine),
        "acknowledged": sum(last[each] == "published" for each in mine),
        "ok": len(done & set(mine)),
    }
    return (Verdict.VIOLATED if broken or stray else Verdict.HELD), worst, figures


@pytest.mark.parametrize("contract", list(BROKEN))
@settings(deadline=None)
@given(events=histories())
def test_it_agrees(contract: str, events: list[Event]) -> None:
    (judged,) = check([Delivery(contract=contract)], events)

    figures = {name: number for name, number in judged.figures.items() if name != BESIDE}
    assert (judged.verdict, judged.outcome, figures) == second_opinion(events, contract), judged.reason
