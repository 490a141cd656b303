"""A seed stands for a workload and its faults: the same ones in every run, whatever else is left out."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from targets import subject, task

from assay.chaos.by_invocation import reached
from assay.chaos.draw import Job, aimed_at, choose, strikes, task_of
from assay.chaos.run import chosen
from assay.chaos.script import ChaosScript, Strike, Workload
from assay.errors import UsageError
from assay.event import Point
from assay.fault import STRIKING, Needs

SHOP = subject(
    task(name="shop.charge", autoretry_for=("OSError",)), task(name="shop.mail"), task(name="shop.once", max_retries=0)
)
NAMES = tuple(each.name for each in SHOP.tasks)
KINDS = sorted(STRIKING)


def script(seed: int, number: int = 60, intensity: float = 0.3) -> ChaosScript:
    workload = Workload(tasks=NAMES, number=number)
    return ChaosScript(seed=seed, workload=workload, faults=strikes(seed, workload, KINDS, intensity))


def job(drawn: ChaosScript, number: int) -> Job:
    return Job(drawn, SHOP, number, drawn.strikes().get(number, []))


def test_a_seed_is_the_same_next_year() -> None:
    """What these are does not matter, that they stay so does: seeds are quoted in reports and tickets."""
    workload = Workload(tasks=NAMES, number=40)
    drawn = strikes(7, workload, ["SIGKILL child", "SIGKILL main", "SIGTERM"], 0.1)
    assert [(strike.fault, strike.invocation or (strike.task, strike.nth), str(strike.point)) for strike in drawn] == [
        ("SIGTERM", 6, "body_exit"),
        ("SIGKILL child", ("shop.once", 5), "body_enter"),
        ("SIGKILL child", 13, "body_exit"),
        ("SIGKILL main", 31, "after_result"),
    ]
    assert [job(ChaosScript(seed=7, workload=workload), number).task for number in (1, 2, 3)] == [
        "shop.charge",
        "shop.once",
        "shop.once",
    ]


@given(st.integers(), st.sets(st.integers(1, 60), min_size=1))
def test_an_invocation_is_the_same_whichever_others_are_left(seed: int, only: set[int]) -> None:
    whole = script(seed)
    faults = tuple(strike for strike in whole.faults if strike.invocation in only)
    part = msgspec.structs.replace(
        whole, workload=msgspec.structs.replace(whole.workload, only=tuple(only)), faults=faults
    )
    assert part.workload.numbers == sorted(only)
    for number in only:
        one, other = job(whole, number), job(part, number)
        assert (one.task, one.script, one.payload, one.strikes) == (
            other.task,
            other.script,
            other.payload,
            other.strikes,
        )


@given(st.integers(), st.floats(0, 1))
def test_faults_strike_where_they_can_and_each_invocation_once(seed: int, intensity: float) -> None:
    drawn = script(seed, intensity=intensity).faults
    assert len({(strike.invocation, strike.task, strike.nth) for strike in drawn}) == len(drawn)
    for strike in drawn:
        fault = STRIKING[strike.fault]
        assert strike.point in fault.points
        assert bool(strike.lasts_s) == bool(fault.lasts_s)


@settings(deadline=None, max_examples=30)
@given(st.integers())
def test_a_start_that_a_fault_waits_for_is_one_that_comes(seed: int) -> None:
    """Each invocation of the workload starts once at least."""
    drawn = script(seed, number=20, intensity=1.0)
    of_task = Counter(task_of(seed, drawn.workload, number) for number in drawn.workload.numbers)
    assert all(1 <= strike.nth <= of_task[strike.task] for strike in drawn.aimed)


def test_a_quarter_of_the_faults_wait_for_a_start_of_a_task() -> None:
    drawn = script(1, 1000, 1.0)
    assert 200 <= len(drawn.aimed) <= 300
    assert all(reached(drawn, strike, list(drawn.workload.numbers)) for strike in drawn.aimed[:20])
    assert all(Needs.RESULTS not in STRIKING[strike.fault].needs for strike in drawn.aimed)


@settings(deadline=None, max_examples=30)
@given(st.integers(), st.integers(1, 60))
def test_what_a_fault_waits_for_is_counted_and_what_nobody_waits_for_is_not(seed: int, number: int) -> None:
    drawn = script(seed, intensity=0.1)
    one = Job(drawn, SHOP, number, (), aimed_at(drawn))
    assert one.script.counted == any(strike.task == one.task for strike in drawn.aimed)


def test_where_the_results_of_a_start_are_asked_for_then_no_invocation_of_its_task_fails() -> None:
    strike = Strike(fault="results away", task="shop.mail", nth=3, point=Point.BEFORE_RESULT)
    failing = Workload(tasks=NAMES, number=60, failing=1.0, retrying=0.0)
    for faults, fails in (((strike,), {"shop.charge", "shop.once"}), ((), set(NAMES))):
        drawn = ChaosScript(seed=1, workload=failing, faults=faults)
        jobs = [Job(drawn, SHOP, number, (), aimed_at(drawn)) for number in failing.numbers]
        assert {each.task for each in jobs if each.script.acts[-1].ends == "raise"} == fails


@pytest.mark.parametrize(("intensity", "least", "most"), [(0.0, 0, 0), (0.1, 60, 140), (1.0, 1000, 1000)])
def test_the_intensity_is_the_share_that_is_struck(intensity: float, least: int, most: int) -> None:
    assert least <= len(script(1, 1000, intensity).faults) <= most


@given(st.integers())
def test_what_is_struck_is_to_be_done_in_the_end(seed: int) -> None:
    drawn = script(seed, intensity=1.0)
    for number in drawn.strikes():
        acts = job(drawn, number).script.acts
        assert acts[-1].ends == "return"
        assert all(act.error == "transient" for act in acts[:-1])


@given(st.integers())
def test_only_what_the_task_retries_fails_in_passing(seed: int) -> None:
    drawn = script(seed, intensity=0.0)
    for number in drawn.workload.numbers:
        one = job(drawn, number)
        assert len(one.script.acts) == 1 or one.task == "shop.charge"


@given(st.integers())
def test_a_swarm_is_a_part_of_the_kinds(seed: int) -> None:
    chosen = choose(seed, KINDS, swarm=True)
    assert 2 <= len(chosen) <= len(KINDS)
    assert set(chosen) <= set(KINDS)
    assert chosen == choose(seed, KINDS, swarm=True)
    assert choose(seed, KINDS, swarm=False) == KINDS


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("sigkil-child", "there is no fault sigkil-child; did you mean sigkill-child?"),
        (
            "sigterm,,sigquit",
            "there is no fault without a name; there is swarm, or names with commas between them of s",
        ),
    ],
)
def test_a_fault_that_there_is_not_is_answered_by_the_nearest_or_by_all(given: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        chosen(given)
    assert str(caught.value).startswith(told)
    assert not told.endswith("?") or str(caught.value) == told
