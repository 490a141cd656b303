"""Durations of an app as Celery reads them, and how they are scaled down."""

import random
from dataclasses import replace
from typing import Any

import pytest
from celery import Celery
from celery.exceptions import Retry
from targets import target, task

from assay.inspection import describe
from assay.scaling import LOCKED_S, countdowns, impatient, longest_delay, told
from assay.scenario import scenarios
from assay.scenarios.results.outcomes import told as told_of
from assay.scenarios.retries.policy import delays


@pytest.mark.parametrize(
    "options",
    [
        {"retry_backoff": True},
        {"retry_backoff": 0.5},
        {"retry_backoff": 2.9},
        {"retry_backoff": 3, "retry_backoff_max": 7},
        {"retry_backoff": 3, "retry_backoff_max": 6.9},
        {"retry_backoff": 3, "retry_backoff_max": 0},
        {"retry_backoff": 2.9, "retry_kwargs": {"countdown": 77}},
        {"retry_backoff": False, "retry_kwargs": {"countdown": 77}},
        {"default_retry_delay": 5},
    ],
)
@pytest.mark.parametrize("jitter", [True, False])
def test_given_any_backoff_then_its_waits_are_those_that_celery_draws(
    options: dict[str, Any], jitter: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Celery("shop", set_as_current=False)

    @app.task(shared=False, name="shop.charge", autoretry_for=(OSError,), retry_jitter=jitter, **options)
    def charge() -> None:
        raise OSError

    app.finalize(auto=True)
    live, waits = app.tasks["shop.charge"], []

    def retry(exc: Exception, countdown: float | None = None, **_: Any) -> Retry:
        waits.append(float(live.default_retry_delay if countdown is None else countdown))
        return Retry()

    monkeypatch.setattr(live, "retry", retry)
    for draw in (lambda stop: 0, lambda stop: stop - 1):  # the shortest and the longest that jitter may give
        monkeypatch.setattr(random, "randrange", draw)
        for number in range(3):
            live.push_request(retries=number, called_directly=False)
            with pytest.raises(Retry):
                live.run()
            live.pop_request()
    found = describe(app, "shop", ".").task("shop.charge")
    assert delays(found, 3) == list(zip(waits[:3], waits[3:], strict=True))
    assert longest_delay(found) == max(waits[3:])


def test_given_a_backoff_and_no_error_to_retry_for_then_the_delay_is_the_plain_one() -> None:
    assert longest_delay(target(task(retry_backoff=2.0)).task) == 180.0


def test_given_scenarios_that_scale_the_same_delays_apart_then_one_sentence_tells_of_them_all() -> None:
    one = target(task(default_retry_delay=60.0))
    assert told([countdowns(one, 10.0), countdowns(one, 0.4), countdowns(one, 0.4), countdowns(one, 100.0)]) == [
        "retry delays up to 60 s: divided by 6 to 150, so that the longest takes 0.4 to 10 s"
    ]
    assert told([countdowns(one, 5.0)]) == ["retry delays up to 60 s: divided by 12, so that the longest takes 5 s"]


@pytest.mark.parametrize(
    ("backend", "options", "broker", "holds"),
    [
        ("redis", {}, "redis", "server"),
        ("rediss", {}, "redis", "server"),
        ("redis", {}, "redis://host/5", ""),  # somebody else's
        ("redis", {}, "amqp://host/x", "server"),  # which is the run's own beside it
        ("redis", {"ignore_result": True}, "redis", ""),
        ("django-db", {}, "redis://host/5", "database"),
        ("db+sqlite", {}, "redis", ""),  # a run keeps its results on Redis, which is not what the app will have
        ("rpc", {}, "redis", ""),
        ("disabled", {}, "redis", ""),
    ],
)
def test_results_are_broken_where_a_run_holds_them_as_production_does(
    backend: str, options: dict[str, Any], broker: str, holds: str
) -> None:
    one = replace(target(task(**options), result_backend=backend), broker=broker)
    assert one.breakable_results == holds
    assert scenarios()["results.away_at_success"].applies(one) == bool(holds)
    scaling = impatient(one)
    assert scaling.redirection.database_timeout_s == (LOCKED_S if holds == "database" else 0)
    assert any("SQLite database's timeout" in said for said in told([scaling])) == (holds == "database")


def test_hooks_are_due_where_a_task_has_them_and_those_that_celery_always_calls_in_any_case() -> None:
    bare, hooked = (target(task(hooks=hooks)) for hooks in ((), ("on_success", "after_return", "on_failure")))
    always = {"on_failure": 1, "on_retry": 2, "link": 0, "link_error": 1, "task_failure": 1, "task_retry": 2}
    found = told_of(bare, failures=1, retried=2)
    assert always.items() <= found.items()
    assert "after_return" not in found
    assert told_of(hooked, failures=1, retried=2) == found | {"on_success": 0, "after_return": 1}


@pytest.mark.parametrize(
    ("broker", "has"),
    [
        ("fakeredis", set[str]()),  # all of its data is in one process's memory
        ("redis", {"while_it_runs", "while_it_is_reserved", "while_it_waits", "between_links"}),
        ("rabbitmq", {"while_it_is_reserved", "while_it_waits", "between_links"}),  # any restart of it keeps its data
        ("redis://host/5", set[str]()),  # somebody else's
    ],
)
def test_a_broker_comes_back_with_its_data_where_the_run_has_one_that_keeps_them(broker: str, has: set[str]) -> None:
    one = replace(target(task(), prefetch_multiplier=4), broker=broker)
    kept = {name: each for name, each in scenarios().items() if name.startswith("reconnect.broker_kept_")}
    assert {name.removeprefix("reconnect.broker_kept_") for name, each in kept.items() if each.applies(one)} == has
    confirms = [each.scale(one).redirection.transport_options.get("confirm_publish") for each in kept.values()]
    assert confirms == [True if broker == "rabbitmq" else None] * 4


def test_a_task_that_expires_is_not_made_to_wait_until_then() -> None:
    brief = target(task(expires=20.0, acks_late=True))
    kept = ("cut_while_it_waits", "black_hole_while_it_waits", "black_hole_between_links", "cut_idle")
    assert [scenarios()[f"reconnect.{name}"].applies(brief) for name in kept] == [True, False, False, True]
