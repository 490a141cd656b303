"""What a task is held to, by its settings and by what is lost; and what would mend it."""

from typing import Any

import pytest
from celery import Celery
from targets import subject, task

from assay.celery_findings import BEYOND
from assay.contract import delivery
from assay.inspection import describe

EARLY = {"acks_late": False}
LATE = {"acks_late": True}
REJECT, RETRY = {"reject_on_worker_lost": True}, {"retry_on_worker_lost": True}


@pytest.mark.parametrize(
    ("options", "child_lost", "main_lost"),
    [
        (EARLY, "", ""),
        (EARLY | REJECT, "task_reject_on_worker_lost", ""),  # who would reject it is gone with main
        (EARLY | RETRY, "task_retry_on_worker_lost", ""),
        (LATE, "task_acks_late", "task_acks_late"),
        (LATE | REJECT | RETRY, "task_acks_late", "task_acks_late"),
    ],
)
def test_given_a_loss_then_only_what_claims_something_for_it_is_held_to_it(
    options: dict[str, Any], child_lost: str, main_lost: str
) -> None:
    one = task(**options)
    for child, setting in ((True, child_lost), (False, main_lost)):
        found = delivery.of(one, subject(one), "inferred", child_lost=child)
        assert (found.setting, found.delivery) == (setting, "at_least_once" if setting else "any")


def test_given_a_demand_then_it_is_held_to_it_whatever_is_lost() -> None:
    one = task()
    for child in (True, False):
        assert delivery.of(one, subject(one), "at_most_once", child_lost=child).delivery == "at_most_once"


def remedy(settings: dict[str, Any], options: dict[str, Any], demanded: str = "inferred") -> str:
    app = Celery("shop", set_as_current=False)
    app.conf.update(settings)

    @app.task(shared=False, name="shop.charge", **options)
    def charge() -> None: ...

    app.finalize(auto=True)
    subject = describe(app, "shop:app", "/nowhere")
    return delivery.of(subject.task("shop.charge"), subject, demanded, child_lost=True).remedy


@pytest.mark.parametrize(
    ("settings", "options", "expected"),
    [
        ({"task_acks_late": True}, {}, "set task_reject_on_worker_lost=True"),
        ({"task_reject_on_worker_lost": True}, {}, "set task_acks_late=True"),
        ({"task_acks_late": True, "task_reject_on_worker_lost": True}, {}, BEYOND),
        (
            {"task_acks_late": True, "task_reject_on_worker_lost": True},
            {"acks_late": False},
            "take acks_late=False off the task: it wins over the setting",
        ),
        ({}, {"acks_late": True}, "set reject_on_worker_lost=True on the task"),
        ({}, {"reject_on_worker_lost": True, "acks_late": False}, "set acks_late=True on the task"),
    ],
)
def test_a_remedy_is_given_where_the_options_come_from(
    settings: dict[str, Any], options: dict[str, Any], expected: str
) -> None:
    assert remedy(settings, options) == expected


def test_a_demand_on_an_app_that_sets_nothing_is_met_by_settings() -> None:
    assert remedy({}, {}, "at_least_once") == "set task_acks_late=True and task_reject_on_worker_lost=True"


def test_given_a_lost_main_process_then_nothing_is_told_that_only_mends_a_lost_child() -> None:
    late = task(acks_late=True)
    told = {lost: delivery.of(late, subject(late), "inferred", child_lost=lost).remedy for lost in (True, False)}
    assert told == {True: "set reject_on_worker_lost=True on the task", False: BEYOND}


def test_given_a_demand_for_one_run_then_no_remedy_makes_a_task_come_back() -> None:
    assert remedy({"task_acks_late": True}, {}, "at_most_once") == "set task_acks_late=False"
    assert remedy({}, {"acks_late": True}, "at_most_once") == "take acks_late=True off the task"
    assert remedy({}, {}, "at_most_once") == BEYOND


def test_given_a_demand_for_one_effect_then_the_body_is_to_be_idempotent_and_deduplication_has_its_limits() -> None:
    late = {"task_acks_late": True, "task_reject_on_worker_lost": True}
    told = remedy(late, {}, "effectively_once")
    assert told.startswith("make the body idempotent: ")
    assert "worker_deduplicate_successful_tasks=True, with task_acks_late and a result backend" in told
    assert "not one whose worker died between its work and that" in told
    on = {**late, "worker_deduplicate_successful_tasks": True}
    already = remedy({**on, "result_backend": "redis://localhost/1"}, {}, "effectively_once")
    assert "skips what comes back" in already
    assert "with task_acks_late and a result backend, skips" in remedy(on, {}, "effectively_once"), "not in force"
    assert "=True" not in already
    assert "deduplicate" not in remedy(late, {"ignore_result": True}, "effectively_once")
    assert remedy({}, {}, "effectively_once").startswith(
        "set task_acks_late=True and task_reject_on_worker_lost=True; "
    )
