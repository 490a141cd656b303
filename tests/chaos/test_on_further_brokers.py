"""On each broker after the first: every correct twin, and the bugs whose outcome is that broker's doing."""

from collections.abc import Iterator

import pytest
from beds import BROKERS
from pairs import TABLE, OnBroker, check_found, check_silent, run_on, silent

if not BROKERS[1:]:
    pytest.skip("only one broker is asked for: ASSAY_TEST_BROKER=fakeredis,redis,rabbitmq", allow_module_level=True)
#: suites whose faults hit the broker, or what it does with the messages of a worker that is gone
OF_THE_BROKER = ("acks_late.", "reconnect.")
BUGS = [name for name in TABLE if name.startswith(OF_THE_BROKER)]


@pytest.fixture(scope="module", params=BROKERS[1:])
def broker(request: pytest.FixtureRequest) -> Iterator[OnBroker]:
    asked = []
    for item in request.session.items:
        if item.path == request.path and item.callspec.params["broker"] == request.param:
            name = item.callspec.params["name"]
            asked.append((TABLE[name].red if "planted_bug" in item.originalname else silent(name), name))
    with run_on(request.param, asked) as on_broker:
        yield on_broker


@pytest.mark.parametrize("name", BUGS)
def test_given_a_planted_bug_when_the_scenario_runs_then_it_is_found(name: str, broker: OnBroker) -> None:
    check_found(name, broker)


@pytest.mark.parametrize("name", TABLE)
def test_given_the_correct_twin_when_the_scenario_runs_then_it_is_silent(name: str, broker: OnBroker) -> None:
    check_silent(name, broker)
