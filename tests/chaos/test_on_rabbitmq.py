"""What only AMQP promises: a dead worker's messages come back at once; and a bug is found there as well as on Redis."""

import os

import celery
import pytest
from beds import Bed, judged

from assay.brokers import rabbitmq
from assay.errors import UsageError
from assay.verdict import Outcome, Verdict

SHOWN = (
    "acks_late.main_killed_middle",
    "acks_late.group_killed_middle",
    "acks_late.cold_shutdown",
    "retries.worker_killed_while_retry_waits",
    "reconnect.cut_while_it_waits",
    "reconnect.broker_restarted_while_it_runs",
)


@pytest.fixture(autouse=True)
def installed() -> None:
    try:
        rabbitmq.find_server()
    except UsageError as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


def test_given_the_correct_twin_then_it_is_silent_and_nothing_waits_for_a_visibility_timeout() -> None:
    rows = judged(Bed(), SHOWN, broker="rabbitmq")
    assert rows.keys() == set(SHOWN)
    assert {row.reason for row in rows.values() if row.verdict is not Verdict.HELD} == set()
    killed = rows["acks_late.main_killed_middle"]
    assert killed.outcome in (Outcome.RECOVERED, Outcome.DUPLICATED)
    assert killed.recovery_s is not None
    assert killed.recovery_s < 60.0


def test_given_a_planted_bug_then_it_is_found() -> None:
    rows = judged(Bed(("acks_at_receipt", "greedy")), SHOWN[:4], broker="rabbitmq")
    assert {name: row.verdict for name, row in rows.items()} == dict.fromkeys(SHOWN[:4], Verdict.VIOLATED)


@pytest.mark.parametrize(("flips", "due"), [((), Verdict.HELD), (("unconfirmed",), Verdict.VIOLATED)])
def test_given_a_broker_that_dies_with_a_message_unread_then_only_a_publisher_that_waits_for_its_word_knows(
    flips: tuple[str, ...], due: Verdict
) -> None:
    name = "reconnect.broker_killed_while_publishing"
    row = judged(Bed(flips, app="amqp_app:app"), (name,), broker="rabbitmq")[name]
    assert (row.verdict, row.landed) == (due, 1), row.reason
    assert row.claim == "publishing"
    assert (row.outcome is Outcome.LOST) is bool(flips)


@pytest.mark.skipif(celery.VERSION < (5, 5), reason="native delayed delivery came with Celery 5.5")
def test_given_quorum_queues_then_retries_that_wait_in_the_broker_are_scaled_and_found() -> None:
    names = ("retries.fails_then_succeeds", "retries.gives_up")
    no_worker_has = ("retries.worker_killed_while_retry_waits", "reconnect.cut_while_it_waits")
    rows = judged(Bed(("native",), app="amqp_app:app"), (*names, *no_worker_has), broker="rabbitmq")
    assert [row.reason for row in rows.values() if row.verdict is not Verdict.HELD] == []
    assert rows.keys() == set(names)


def test_given_scenarios_about_the_visibility_timeout_then_they_are_none_there() -> None:
    assert not judged(Bed(), ("acks_late.second_worker_while_it_runs",), broker="rabbitmq")
