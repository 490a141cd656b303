"""What a test asks for that there is not is told at once, not after a wait."""

from types import SimpleNamespace
from typing import Any

import pytest

from assay.errors import UsageError
from assay.trial import Trial


def trial() -> Any:
    made = Trial.__new__(Trial)
    made.subject = SimpleNamespace(app="shop:app", tasks=[SimpleNamespace(name="shop.charge")])  # type: ignore[assignment]
    return made


def test_given_a_misspelt_task_then_the_nearest_one_is_named() -> None:
    with pytest.raises(UsageError, match=r"^shop:app has no task shop\.chrage; did you mean shop\.charge\?$"):
        trial().send("shop.chrage")


def test_given_a_misspelt_crash_point_then_the_nearest_one_and_all_are_named() -> None:
    with pytest.raises(UsageError, match=r"named body_midle; did you mean body_middle\?; there are received, "):
        trial().send("shop.charge", hold="body_midle")
    with pytest.raises(UsageError, match=r"named body_midle; did you mean body_middle\?"):
        trial().kill_child_at("an-id", "body_midle")
