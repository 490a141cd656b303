"""A remedy mends the row that it stands beside, and tells its price; a reason tells what no run waits for."""

import pytest
from targets import target, task

from assay.celery_findings import SUPERVISOR
from assay.scenarios.acks_late.poison import counting
from assay.scenarios.canvas.killed import KILLS, KILLS_MAIN
from assay.scenarios.reconnect.coming_back import deaf_for
from assay.scenarios.reconnect.connection import outlives

LATE = "set task_acks_late=True"


def mends(name: str, *, celery: str = "5.7.0", deduplicates: bool = False, acks_late: bool = False) -> str:
    one = task(acks_late=acks_late)
    kill = (KILLS | KILLS_MAIN)[name]
    return kill.mends(target(one, versions={"celery": celery}, deduplicates=deduplicates), LATE)


@pytest.mark.parametrize("acks_late", [True, False])
def test_given_a_chord_that_celery_does_not_count_then_late_acknowledgement_is_no_remedy(acks_late: bool) -> None:
    told = mends("chord_killed_after_result", acks_late=acks_late)
    assert told.startswith("no setting of the app mends it, task_acks_late=True neither: ")
    assert "`assay list findings`" in told


def test_given_an_older_release_that_runs_the_part_again_then_the_settings_mend_it_but_for_deduplication() -> None:
    assert mends("chord_killed_after_result", celery="5.6.3") == LATE
    assert mends("chord_killed_after_result", celery="5.6.3", deduplicates=True).startswith(
        f"{LATE}, and leave worker_deduplicate_successful_tasks off"
    )
    assert mends("chord_main_killed_after_result", deduplicates=True, acks_late=True).startswith(
        "leave worker_deduplicate_successful_tasks off"
    )


@pytest.mark.parametrize("name", ["chain_killed_exit", "chord_killed_middle", "chord_killed_after_trace"])
def test_given_a_kill_that_a_redelivery_mends_then_the_contract_has_the_remedy(name: str) -> None:
    assert mends(name) == LATE


def test_given_a_task_that_kills_its_worker_then_the_remedy_tells_what_it_costs() -> None:
    told = counting(task(max_retries=5, default_retry_delay=180.0))
    assert told.startswith("set task_retry_on_worker_lost=True (Celery 5.7): ")
    assert "waits its retry delay, 180 s, and that counts as one of its max_retries, 5;" in told


def test_given_a_task_without_a_bound_then_counting_its_retries_ends_nothing_and_that_is_told() -> None:
    bound = "give the task a max_retries: with None it goes on without end"
    assert bound in counting(task(max_retries=None))
    assert counting(task(max_retries=None, retry_on_worker_lost=True)).startswith(bound)


@pytest.mark.parametrize(
    ("kombu", "told"), [("5.7.0", "for about a quarter of an hour, "), ("5.6.2", "for ever, before kombu 5.7 ")]
)
def test_given_a_black_hole_on_redis_then_it_is_told_how_long_a_worker_is_deaf_in_production(
    kombu: str, told: str
) -> None:
    assert deaf_for(target(task(), versions={"kombu": kombu})).startswith(told)


def test_given_a_black_hole_on_rabbitmq_then_heartbeats_end_it_and_no_time_is_told() -> None:
    assert deaf_for(target(task(), broker_scheme="amqp")) == ""


def test_given_a_redis_that_restarts_under_late_acknowledgement_then_a_prefetch_of_one_is_the_remedy() -> None:
    late = task(acks_late=True)
    assert outlives(target(late)).startswith("set worker_prefetch_multiplier=1, with which it was not seen; or let a ")
    assert outlives(target(late, prefetch_multiplier=1)) == outlives(target(task())) == SUPERVISOR
