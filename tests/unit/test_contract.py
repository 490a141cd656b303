"""What a task is held to, by its settings and by what is lost; and what would mend it."""

from typing import Any

import pytest
from celery import Celery
from targets import subject, task

from assay import contract
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
        found = contract.of(one, subject(one), "inferred", child_lost=child)
        assert (found.setting, found.delivery) == (setting, "at_least_once" if setting else "any")


def test_given_a_demand_then_it_is_held_to_it_whatever_is_lost() -> None:
    one = task()
    for child in (True, False):
        assert contract.of(one, subject(one), "at_most_once", child_lost=child).delivery == "at_most_once"


def remedy(settings: dict[str, Any], options: dict[str, Any], demanded: str = "inferred") -> str:
    app = Celery("shop", set_as_current=False)
    app.conf.update(settings)

    @app.task(shared=False, name="shop.charge", **options)
    def charge() -> None: ...

    app.finalize(auto=True)
    subject = describe(app, "shop:app", "/nowhere")
    return contract.of(subject.task("shop.charge"), subject, demanded, child_lost=True).remedy


@pytest.mark.parametrize(
    ("settings", "options", "expected"),
    [
        ({"task_acks_late": True}, {}, "set task_reject_on_worker_lost=True"),
        ({"task_reject_on_worker_lost": True}, {}, "set task_acks_late=True"),
        ({"task_acks_late": True, "task_reject_on_worker_lost": True}, {}, contract.BEYOND),
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
