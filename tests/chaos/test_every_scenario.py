"""Each scenario goes red on a planted bug, and stays green on the app's correct twin."""

from collections.abc import Iterator

import pytest
from beds import BROKERS
from pairs import (
    EXCEPTIONS,
    FURTHER,
    ON_REDIS_ONLY,
    TABLE,
    OnBroker,
    check_found,
    check_silent,
    planted,
    run_on,
    silent,
)

from assay.scenario import scenarios
from assay.verdict import Verdict


@pytest.fixture(scope="module")
def broker(request: pytest.FixtureRequest) -> Iterator[OnBroker]:
    """The first of the brokers, with what the tests that were asked for need."""
    asked = []
    for item in request.session.items:
        if item.path == request.path and hasattr(item, "callspec"):
            name, flips = (item.callspec.params.get(key) for key in ("name", "flips"))
            red = TABLE[name].red if "planted_bug" in item.originalname else silent(name)
            asked.append((planted(flips) if flips else red, name))
    with run_on(BROKERS[0], asked) as on_broker:
        yield on_broker


def test_given_all_registered_scenarios_then_each_has_a_red_and_a_green_twin_or_a_reason() -> None:
    assert sorted({*TABLE, *EXCEPTIONS}) == sorted(scenarios())


@pytest.mark.parametrize("name", TABLE)
def test_given_a_planted_bug_when_the_scenario_runs_then_it_is_found(name: str, broker: OnBroker) -> None:
    check_found(name, broker)


@pytest.mark.parametrize(("flips", "name", "checker"), FURTHER)
def test_given_a_further_bug_when_its_scenario_runs_then_it_is_found(
    flips: str, name: str, checker: str, broker: OnBroker
) -> None:
    row = broker.row(planted(flips), name)
    if broker.lacks(name):
        assert row is None
        return
    assert row is not None
    if broker.name == "rabbitmq" and ON_REDIS_ONLY & set(flips.split("+")):
        assert row.verdict is Verdict.HELD, "it changes nothing there"
        return
    assert row.verdict is Verdict.VIOLATED, f"{flips}: {row.verdict}: {row.reason}"
    speaking = [each.checker for each in row.judgements if each.verdict is Verdict.VIOLATED]
    assert checker in speaking, f"{flips}: {speaking}: {row.reason}"


@pytest.mark.parametrize("name", TABLE)
def test_given_the_correct_twin_when_the_scenario_runs_then_it_is_silent(name: str, broker: OnBroker) -> None:
    check_silent(name, broker)
