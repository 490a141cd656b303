"""What a child process inherits."""

import os
from collections.abc import Iterator

import pytest

from assay.process import inherited


class Shrinking(dict[str, str]):
    """An environment from which another thread has taken a name since it was listed."""

    def __iter__(self) -> Iterator[str]:
        return iter([*super().__iter__(), "TAKEN_OUT"])


def test_given_a_name_that_is_taken_out_meanwhile_then_all_others_are_inherited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "environ", Shrinking(KEPT="1", EMPTY=""))
    assert inherited() == {"KEPT": "1", "EMPTY": ""}
