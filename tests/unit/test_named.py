"""What the settings name in the app is there, or the run is refused before anything is judged."""

from datetime import date
from pathlib import Path

import msgspec
import pytest
from targets import subject, task

from assay.errors import UsageError
from assay.known import Known
from assay.named import must_be_there
from assay.settings import Settings

SHOP = subject(task(name="shop.charge", queue="default"), task(name="shop.mail", queue="mail"), queues=["spare"])


def wanted(*, queues: tuple[str, ...] = (), known: str = "*") -> Settings:
    entry = Known(scenario="acks_late.*", task=known, reason="Celery's own", upstream="celery#1")
    return Settings(workdir=Path(), out=Path(), queues=queues, known=(entry,))


def test_given_queues_and_tasks_that_are_there_then_nothing_is_said() -> None:
    assert not must_be_there(wanted(queues=("default", "spare"), known="shop.c*"), SHOP)


DEFALT = (
    "queues: no task of shop goes to defalt, and it declares no such queue; did you mean default?; "
    "there are default, mail, spare"
)


@pytest.mark.parametrize(("queues", "makes"), [(("mail", "defalt"), False), (("defalt",), True)])
def test_given_a_queue_that_cannot_be_meant_then_it_is_the_users_to_mend_and_not_the_apps(
    queues: tuple[str, ...], makes: bool
) -> None:
    with pytest.raises(UsageError) as refused:
        must_be_there(wanted(queues=queues), msgspec.structs.replace(SHOP, create_missing_queues=makes))
    assert str(refused.value) == DEFALT


def test_given_a_queue_that_calls_may_name_then_it_is_told_and_the_run_goes_on() -> None:
    makes = msgspec.structs.replace(SHOP, create_missing_queues=True)
    assert must_be_there(wanted(queues=("mail", "defalt")), makes) == [DEFALT]


@pytest.mark.parametrize("pattern", ["shop.chrge", "shop.charg?d*"])
def test_given_a_known_finding_of_a_misspelt_task_then_it_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError) as refused:
        must_be_there(wanted(known=pattern), SHOP)
    assert str(refused.value) == f"known: acks_late.*: shop has no task {pattern}; did you mean shop.charge?"


def test_given_a_known_finding_of_another_app_then_it_is_told_and_one_that_has_expired_is_not() -> None:
    (told,) = must_be_there(wanted(known="billing.*"), SHOP)
    assert told == "known: acks_late.*: shop has no task billing.*; `assay list tasks -A shop` names them"
    expired = msgspec.structs.replace(wanted(known="billing.*").known[0], expires=date(2020, 1, 1))
    assert not must_be_there(msgspec.structs.replace(wanted(), known=(expired,)), SHOP)


def test_given_the_alias_of_a_broadcast_queue_then_it_is_one() -> None:
    aliased = msgspec.structs.replace(SHOP, aliases=["reload"], create_missing_queues=False)
    assert not must_be_there(wanted(queues=("mail", "reload")), aliased)
