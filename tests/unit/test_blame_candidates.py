"""Which changes `blame` tries, told for apps that are described by hand."""

from typing import Any

import pytest
from targets import subject, task

from assay.blame.candidates import candidates
from assay.contract.terms import Terms
from assay.flip import Flip
from assay.subject import Setting, Subject

QUEUES = Flip("task_queues", {name: {"exchange": name, "routing_key": name} for name in ("celery", "own")})
SOONER = Flip("broker_transport_options", entries={"visibility_timeout": 600})
ROUTE = Flip("task_routes", entries={"shop.charge": {"queue": "own"}})


def tried(suite: str, app: Subject, *, on_redis: bool = True) -> list[Flip]:
    return candidates(suite, app.tasks[0], app, on_redis=on_redis)


def test_given_a_loss_then_what_the_app_gives_a_value_comes_first_and_what_is_on_is_left_out() -> None:
    given = (Setting("worker_prefetch_multiplier", 4),)
    late = subject(task(acks_late=True), settings=given, prefetch_multiplier=4)
    keys = [flip.key for flip in tried("acks_late", late)]
    assert keys[0] == "worker_prefetch_multiplier"
    assert {"task_reject_on_worker_lost", "task_retry_on_worker_lost"} <= set(keys)
    assert "task_acks_late" not in keys


def test_given_an_option_of_the_task_that_wins_over_a_setting_then_it_is_flipped_at_the_task() -> None:
    own = subject(task(acks_late=False), settings=(Setting("task_acks_late", True),))
    assert Flip("acks_late", True, task="shop.charge") in tried("acks_late", own)


@pytest.mark.parametrize(
    ("suite", "terms", "options", "flips"),
    [
        ("time_limits", {"run_s": 60.0}, {}, [Flip("task_time_limit", 60)]),
        ("time_limits", {"run_s": 60.0}, {"time_limit": 90.0}, [Flip("time_limit", 60, task="shop.charge")]),
        ("time_limits", {"run_s": 60.0}, {"time_limit": 30.0}, []),
        ("retries", {"attempts": 3}, {"max_retries": 5}, [Flip("max_retries", 2, task="shop.charge")]),
        ("retries", {"attempts": 3}, {"max_retries": 2}, []),
        ("acks_late", {"recovery_s": 600.0}, {}, [SOONER]),
        ("routing", {"queue": "own"}, {"queue": "celery"}, [QUEUES, ROUTE]),
        ("routing", {"queue": "own"}, {"queue": "own"}, []),
    ],
)
def test_given_a_contract_that_the_app_does_not_keep_then_what_would_keep_it_is_tried(
    suite: str, terms: dict[str, Any], options: dict[str, Any], flips: list[Flip]
) -> None:
    free, held = (subject(task(**options, contract=each)) for each in (Terms(), Terms(**terms)))
    found = [each for each in tried(suite, held) if each not in tried(suite, free)]
    assert found == flips
