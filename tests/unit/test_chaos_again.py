"""How a script becomes smaller that has faults which wait for the nth start of a task."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from checkers.histories import event, published, story
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.chaos.again import _smaller
from assay.chaos.by_invocation import as_it_was
from assay.chaos.draw import task_of
from assay.chaos.script import ChaosScript, Strike, Workload
from assay.event import Kind, Point, encode

WORKLOAD = Workload(tasks=("shop.charge", "shop.mail"), number=30)
AIMED = Strike(fault="SIGKILL child", task="shop.charge", nth=9, point=Point.BODY_MIDDLE)
OTHERS = tuple(Strike(fault="SIGTERM", invocation=n, point=Point.BODY_EXIT) for n in (2, 5, 20))
SCRIPT = ChaosScript(seed=7, workload=WORKLOAD, faults=(*OTHERS, AIMED))


def struck(script: ChaosScript, fault: str = "SIGKILL child") -> list[int]:
    """The invocations that this fault strikes, where each starts once and in turn."""
    found = []
    for strike in script.faults:
        charges = [n for n in script.workload.numbers if task_of(script.seed, script.workload, n) == strike.task]
        if strike.fault == fault and strike.nth <= len(charges):
            found.append(charges[strike.nth - 1] if strike.nth else strike.invocation)
    return found


def red(*, least: int, first: int = 1) -> Callable[[ChaosScript], bool]:
    """Where it is struck among as many invocations, and is not one of the first ones."""

    def judged(script: ChaosScript) -> bool:
        numbers = list(script.workload.numbers)
        return any(numbers.index(n) + 1 >= first for n in struck(script)) and len(numbers) >= least

    return judged


def test_a_cause_that_needs_nothing_else_becomes_a_fault_of_one_invocation() -> None:
    small = _smaller(SCRIPT, [], red(least=1))
    (strike,) = small.faults
    assert (strike.nth, strike.task, strike.attempt) == (0, "", 1)
    assert small.workload.only == (strike.invocation,)
    assert (small.workers, small.concurrency) == (1, 1)


@settings(deadline=None, max_examples=20)
@given(st.integers(), st.integers(1, 12), st.integers(1, 9))
def test_what_becomes_smaller_is_still_red_and_waits_for_no_later_start(seed: int, least: int, first: int) -> None:
    script = msgspec.structs.replace(SCRIPT, seed=seed)
    wanted = red(least=least, first=first)
    if not wanted(script):
        return
    small = _smaller(script, [], wanted)
    assert wanted(small)
    (strike,) = small.faults
    assert strike.nth <= AIMED.nth
    assert len(small.workload.numbers) <= WORKLOAD.number


@pytest.mark.parametrize(("nth", "told"), [(2, [(2, 1)]), (3, [(1, 2)]), (4, [])])
def test_a_start_that_a_fault_waited_for_is_told_as_the_attempt_that_it_was(
    nth: int, told: list[tuple[int, int]], tmp_path: Path
) -> None:
    script = msgspec.structs.replace(SCRIPT, faults=(msgspec.structs.replace(AIMED, nth=nth),))
    (tmp_path / "chaos/events").mkdir(parents=True)
    starts = [("a", 0, 1), ("b", 0, 2), ("a", 1, 3)]
    begun = [event(Kind.ATTEMPT_STARTED, each, start=start, nth=number) for each, start, number in starts]
    lines = b"".join(encode(each) + b"\n" for each in story(published("a"), published("b"), *begun))
    (tmp_path / "chaos/events/1-1.jsonl").write_bytes(lines)
    found = as_it_was(script, tmp_path)
    assert [(strike.invocation, strike.attempt) for strike in found] == told
