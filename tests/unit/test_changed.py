"""What a run does otherwise than the team's workers is told."""

from pathlib import Path

import pytest
from targets import subject

from assay.changed import changed, other_kind, scaled, visibility
from assay.settings import Settings
from assay.subject import Setting


@pytest.mark.parametrize("cold", [True, False])
@pytest.mark.parametrize("given", [None, 8])
def test_given_workers_of_a_run_then_their_slots_and_what_they_are_started_without_is_told(
    cold: bool, given: int | None
) -> None:
    own = (Setting("worker_concurrency", given),) if given else ()
    said = changed(subject(settings=own), Settings(workdir=Path(), out=Path(), concurrency=3, cold=cold), "prefork")
    assert said[0].startswith(
        "workers have 3 slots rather than worker_concurrency=8," if given else "workers have 3 slots,"
    )
    assert any("without mingle, gossip and heartbeat" in each for each in said) is not cold


@pytest.mark.parametrize(("pool", "slots"), [("solo", []), ("threads", ["workers have 2 slots"])])
def test_given_a_pool_then_no_more_slots_are_told_than_it_has(pool: str, slots: list[str]) -> None:
    own = (Setting("worker_concurrency", 8),)
    said = changed(subject(settings=own), Settings(workdir=Path(), out=Path(), concurrency=2), pool)
    assert [each.partition(" rather")[0] for each in said if "slot" in each] == slots


def test_given_a_visibility_timeout_then_it_is_told_that_it_is_not_waited_for() -> None:
    told = visibility(subject(visibility_timeout=7200.0, restore_period_s=40.0))
    assert told.startswith("visibility_timeout of 7200 s: not waited for")
    assert "add up to 40 s" in told


@pytest.mark.parametrize(
    ("scheme", "broker", "word"),
    [
        ("pyamqp", "redis", "AMQP"),
        ("redis", "rabbitmq", "Redis"),
        ("redis", "redis", ""),
        ("amqp", "rabbitmq", ""),
        ("redis", "external-rabbitmq", "Redis"),
        ("amqp", "amqp://host/x", ""),
        ("amqp", "external", "AMQP"),
        ("sqs", "fakeredis", "sqs, and the run's Redis"),
        ("sqla+sqlite", "rabbitmq", "sqla+sqlite, and the run's RabbitMQ"),
    ],
)
def test_given_a_broker_of_another_kind_than_the_apps_then_what_it_promises_otherwise_is_told(
    scheme: str, broker: str, word: str
) -> None:
    told = other_kind(subject(broker_scheme=scheme), broker)
    assert [f"the app's broker is {word}" in each for each in told] == [True] * bool(word)


def test_given_rabbitmq_then_no_visibility_timeout_is_spoken_of() -> None:
    assert not any("visibility" in each for each in scaled([], subject(), "prefork", "rabbitmq"))
    assert any("visibility" in each for each in scaled([], subject(), "prefork", "redis"))
