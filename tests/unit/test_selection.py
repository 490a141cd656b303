"""Selection: patterns pick suites, scenarios and tasks; one that fits nothing is an error with the nearest name."""

import re

import pytest

from assay.errors import UsageError
from assay.selection import Selection

SCENARIOS = ["retries.gives_up", "acks_late.main_killed", "acks_late.child_killed", "routing.default_queue"]


@pytest.mark.parametrize(
    ("selection", "picked"),
    [
        (Selection(), SCENARIOS),
        (Selection(suites=("acks_late",)), SCENARIOS[1:3]),
        (Selection(suites=("r*",)), [SCENARIOS[0], SCENARIOS[3]]),
        (Selection(scenarios=("acks_late.main*",)), [SCENARIOS[1]]),
        (Selection(scenarios=("*_killed",)), SCENARIOS[1:3]),
        (Selection(scenarios=("gives_up", "routing.*")), [SCENARIOS[0], SCENARIOS[3]]),
        (Selection(suites=("retries", "routing"), scenarios=("*e*",)), [SCENARIOS[0], SCENARIOS[3]]),
    ],
)
def test_scenarios_are_picked_in_their_own_order(selection: Selection, picked: list[str]) -> None:
    assert selection.pick_scenarios(SCENARIOS) == picked


def test_tasks_are_picked_by_pattern() -> None:
    assert Selection(tasks=("shop.*",)).pick_tasks(["shop.charge", "blog.post"]) == ["shop.charge"]


@pytest.mark.parametrize("name", ["shop.rate[eu]", "shop.rate*", "shop.[a", "rate[eu]"])
def test_given_a_name_that_reads_as_a_pattern_then_it_names_its_task(name: str) -> None:
    others = ["shop.charge", "blog.post"]
    assert Selection(tasks=(name,)).pick_tasks([*others, name]) == [name]
    assert Selection(tasks=(name.rpartition(".")[2],)).pick_tasks([*others, name]) == [name]


@pytest.mark.parametrize(
    ("selection", "told"),
    [
        (Selection(suites=("ack_late",)), "no suite is named ack_late; did you mean acks_late?"),
        (Selection(suites=("qqqqqq",)), "no suite is named qqqqqq; there are retries, acks_late, routing"),
        (Selection(scenarios=("main_kiled",)), "no scenario is named main_kiled; did you mean main_killed?"),
        (Selection(scenarios=("child_kiled",)), "no scenario is named child_kiled; did you mean child_killed_*?"),
        (Selection(scenarios=("child_kiled_enter",)), "did you mean child_killed_enter?"),
        (Selection(scenarios=("acks_late.child_kild*",)), "did you mean acks_late.child_killed_*?"),
        (Selection(scenarios=("live_child_kiled",)), "did you mean live_child_killed?"),
        (Selection(scenarios=("acks_late.zz*",)), "no scenario is named acks_late.zz*"),
        (
            Selection(suites=("routing",), scenarios=("gives_up",)),
            "gives_up is in no suite that was chosen: routing",
        ),
    ],
)
def test_a_pattern_without_a_match_is_an_error(selection: Selection, told: str) -> None:
    family = [f"acks_late.child_killed_{point}" for point in ("enter", "middle", "exit")]
    with pytest.raises(UsageError, match=re.escape(told)):
        selection.pick_scenarios([*SCENARIOS[:2], "acks_late.live_child_killed", *family, *SCENARIOS[3:]])


def test_an_app_without_tasks_says_so() -> None:
    with pytest.raises(UsageError, match="there is none"):
        Selection(tasks=("a",)).pick_tasks([])
