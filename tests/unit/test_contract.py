"""What a task is held to, by its settings and by what is lost."""

from typing import Any

import pytest
from targets import subject, task

from assay import contract

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
