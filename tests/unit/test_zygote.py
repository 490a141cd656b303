"""What an audit asks of an app leaves no trace in it: workers are forked from it afterwards."""

import pytest

from assay.zygote import _apart


def test_what_is_looked_at_apart_is_answered_and_leaves_nothing_behind() -> None:
    asked: list[str] = []

    def look() -> dict[str, list[str]]:
        asked.append("the backend")
        return {"asked": asked}

    assert _apart(look) == {"asked": ["the backend"]}
    assert asked == []


def test_what_raises_apart_is_raised_here_with_its_traceback() -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError: division by zero"):
        _apart(lambda: 1 / 0)


def test_a_process_that_ends_apart_is_told_with_its_status() -> None:
    with pytest.raises(RuntimeError, match="ended with status 768 and said nothing"):
        _apart(lambda: __import__("os")._exit(3))
