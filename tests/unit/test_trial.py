"""What a test asks for that there is not is told at once, not after a wait."""

from types import SimpleNamespace
from typing import Any

import pytest

from assay.errors import UsageError
from assay.script import Act
from assay.trial import Trial


def trial() -> Any:
    made = Trial.__new__(Trial)
    made.subject = SimpleNamespace(app="shop:app", tasks=[SimpleNamespace(name="shop.charge")])  # type: ignore[assignment]
    made._holds, made._stands = {}, {}
    return made


def test_given_a_misspelt_task_then_the_nearest_one_is_named() -> None:
    with pytest.raises(UsageError, match=r"^shop:app has no task shop\.chrage; did you mean shop\.charge\?$"):
        trial().send("shop.chrage")


def test_given_a_misspelt_crash_point_then_the_nearest_one_and_all_are_named() -> None:
    with pytest.raises(UsageError, match=r"named body_midle; did you mean body_middle\?; there are received, "):
        trial().send("shop.charge", hold="body_midle")
    with pytest.raises(UsageError, match=r"named body_midle; did you mean body_middle\?"):
        trial().kill_child_at("an-id", "body_midle")


def test_given_no_hold_then_there_is_nothing_to_let_go() -> None:
    with pytest.raises(UsageError, match=r"^nothing holds an-id: send\(\.\.\., hold="):
        trial().release("an-id")


def test_given_what_no_attempt_can_do_then_it_is_said_what_one_can() -> None:
    with pytest.raises(UsageError, match=r"'explode'.*; Act takes ends, by, error, .*; ends is return, raise, "):
        trial().send("shop.charge", Act(ends="explode"))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"^7 is no Act: "):
        trial().send("shop.charge", 7)
