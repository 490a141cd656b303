"""The folder of a run is its own, whoever begins in the same second, and leaves nothing where nothing was recorded."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from assay.errors import UsageError
from assay.folder import claimed


def test_runs_that_begin_in_the_same_second_have_a_folder_each(tmp_path: Path) -> None:
    wanted = tmp_path / "assay-runs/20261123-101530"
    with ExitStack() as stack, ThreadPoolExecutor(8) as threads:
        claims = [stack.enter_context(claimed(wanted, timed=True))]
        claims += threads.map(lambda _: stack.enter_context(claimed(wanted, timed=True)), range(7))
        assert sorted(path.name for path in claims) == [wanted.name, *(f"{wanted.name}-{n}" for n in range(2, 9))]
        assert all(path.is_dir() for path in claims)


def test_what_a_run_has_recorded_stays_and_an_empty_folder_goes_with_those_made_for_it(tmp_path: Path) -> None:
    wanted = tmp_path / "assay-runs/20261123-101530"
    with claimed(wanted, timed=True):
        pass
    assert list(tmp_path.iterdir()) == []
    with claimed(wanted, timed=True) as out:
        (out / "facts.json").touch()
    with claimed(wanted, timed=True) as second:
        assert second.name == "20261123-101530-2"
    assert sorted((tmp_path / "assay-runs").iterdir()) == [tmp_path / "assay-runs/.gitignore", out]
    assert (tmp_path / "assay-runs/.gitignore").read_text() == "*\n"


def test_a_folder_that_the_user_named_is_used_when_it_is_empty_only(tmp_path: Path) -> None:
    named = tmp_path / "there"
    named.mkdir()
    with claimed(named, timed=False) as out:
        assert out == named
    assert named.is_dir(), "it is not ours"
    (named / "a").touch()
    with pytest.raises(UsageError, match="is there already and is not empty"), claimed(named, timed=False):
        pass


def test_a_folder_that_cannot_be_made_gives_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be made: "), claimed(tmp_path / "file/run", timed=True):
        pass


@pytest.mark.parametrize("kind", ["file", "device"])
def test_what_is_no_folder_is_told_as_that(tmp_path: Path, kind: str) -> None:
    named = tmp_path / "there" if kind == "file" else Path("/dev/null")
    if kind == "file":
        named.write_text("")
    with pytest.raises(UsageError, match=f"^{named} is a file, and a run needs a folder"), claimed(named, timed=False):
        pass
