"""What a child process inherits, and what is told of one that died."""

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from assay.process import Parent, Process, inherited


class Shrinking(dict[str, str]):
    """An environment from which another thread has taken a name since it was listed."""

    def __iter__(self) -> Iterator[str]:
        return iter([*super().__iter__(), "TAKEN_OUT"])


def test_given_a_name_that_is_taken_out_meanwhile_then_all_others_are_inherited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "environ", Shrinking(KEPT="1", EMPTY=""))
    assert inherited() == {"KEPT": "1", "EMPTY": ""}


NOBODY = 1 << 30  # above every pid that Linux gives


@pytest.fixture
def died() -> Parent:
    return cast("Parent", SimpleNamespace(status=lambda pid, timeout_s: -9))


def test_given_a_log_that_goes_with_the_run_then_its_last_lines_are_told_and_not_its_path(
    died: Parent, tmp_path: Path
) -> None:
    log = tmp_path / "zygote.log"
    log.write_text("importing\nout of memory\n")
    words = Process(NOBODY, died, log, "zygote", passing=tmp_path).last_words()
    assert words == f"zygote (pid {NOBODY}): status -9; its last lines:\n  | importing\n  | out of memory"


def test_given_an_empty_log_that_goes_with_the_run_then_it_said_nothing(died: Parent, tmp_path: Path) -> None:
    words = Process(NOBODY, died, tmp_path / "zygote.log", "zygote", passing=tmp_path).last_words()
    assert words == f"zygote (pid {NOBODY}): status -9; it said nothing"


def test_given_a_log_in_the_run_folder_then_its_path_is_told(died: Parent, tmp_path: Path) -> None:
    log = tmp_path / "kept" / "w1.log"
    words = Process(NOBODY, died, log, "w1", passing=tmp_path / "passing").last_words()
    assert words == f"w1 (pid {NOBODY}): status -9; log: {log}"
