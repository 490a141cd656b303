"""The commands by which workers elsewhere are driven, as real processes, and the folder as a way back."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.elsewhere.by_folder import FolderHere, FolderThere
from assay.elsewhere.commands import Commands, Listing
from assay.elsewhere.table import Workers
from assay.elsewhere.worker import FarProcess
from assay.errors import HarnessError, UsageError
from assay.wait import wait_until


def commands(tmp: Path, timeout_s: float = 5.0, **texts: str) -> Commands:
    """Each verb is the text of a shell script; what it is called with is $1."""
    words = {}
    for verb in ("start", "kill", "list", "stop"):
        (tmp / verb).write_text(texts.get(verb, "exit 0"))
        words[verb] = f"sh {tmp / verb}" + (" {worker}" if verb != "list" else "")
    return Commands(Workers(**words, timeout_s=timeout_s))


def test_a_command_that_fails_or_hangs_is_the_users_mistake_until_it_has_done_its_work(tmp_path: Path) -> None:
    start = "echo first; echo cannot reach $1 >&2; exit 3"
    found = commands(tmp_path, 60.0, start=start, list="kill $$")
    with pytest.raises(UsageError, match=r"^workers: start exited with status 3 \(cannot reach w1\): sh "):
        found.run("start", "w1")
    with pytest.raises(UsageError, match=r"^workers: list was killed by signal 15: sh "):
        found.names()
    with pytest.raises(UsageError, match=r"^workers: kill did not end within 0.2 s: sh "):
        commands(tmp_path, 0.2, start=start, kill="sleep 60").run("kill", "w1")
    found.done("start")
    with pytest.raises(HarnessError, match="exited with status 3"):
        found.run("start", "w1")


def test_what_a_start_leaves_in_the_background_is_not_waited_for(tmp_path: Path) -> None:
    found = commands(tmp_path, 30.0, start=f"sleep 20 & echo $! >{tmp_path}/pid")
    began = time.monotonic()
    found.run("start", "w1")
    assert time.monotonic() - began < 10
    found.run("stop")  # of a command that does nothing nothing is said
    os.kill(int((tmp_path / "pid").read_text()), 9)


def test_names_are_the_last_part_of_each_line(tmp_path: Path) -> None:
    assert commands(tmp_path, list="echo pod/w1; echo; echo '  w2 '").names() == ["w1", "w2"]


@pytest.fixture
def listing(tmp_path: Path) -> Any:
    made: list[Listing] = []

    def make(**texts: str) -> tuple[FarProcess, Commands, Listing]:
        found = commands(tmp_path, 1.0, **texts)
        made.append(Listing(found))
        return FarProcess("w1", "assay-1-w1", found, made[-1]), found, made[-1]

    yield make
    for each in made:
        each.close()


Made = Callable[..., tuple[FarProcess, Commands, Listing]]


def test_a_kill_after_which_the_worker_is_still_listed_has_killed_nobody(listing: Made) -> None:
    process, _, _ = listing(list="echo assay-1-w1", kill="exit 0")
    with pytest.raises(UsageError, match="kill exited with 0, and after 1 s list still names assay-1-w1"):
        process.kill()
    assert process.alive()


def test_a_kill_that_the_list_proves_has_landed(listing: Made, tmp_path: Path) -> None:
    there = tmp_path / "assay-1-w1"
    there.touch()
    process, _, _ = listing(list=f"cd {tmp_path}; ls -d assay-* 2>/dev/null || :", kill=f"rm {tmp_path}/$1")
    assert process.alive()
    process.kill()
    assert not process.alive()
    with pytest.raises(HarnessError, match="was gone before it could be killed"):
        FarProcess("w1", "assay-1-w1", process._commands, process._listing).kill()


def test_one_list_that_fails_ends_nothing_and_three_do(listing: Made, tmp_path: Path) -> None:
    count = tmp_path / "count"
    count.write_text("")
    fails = f"echo . >>{count}; n=$(wc -l <{count}); [ $n -eq 2 ] && exit 1; [ $n -ge 5 ] && exit 1; echo assay-1-w1"
    _, _, names = listing(list=fails)
    assert names.fresh() == {"assay-1-w1"}, "though the second one failed"
    with pytest.raises(HarnessError, match="list exited with status 1"):
        wait_until(lambda: names.fresh() == set(), what="no answer")


def test_a_folder_takes_lines_scripts_and_leave_to_go_on_and_is_gone_afterwards(tmp_path: Path) -> None:
    here, there = FolderHere(tmp_path, "run"), FolderThere(str(tmp_path), "run")
    here.give_boot("w1", b"boot")
    here.give_script("a", b"script")
    assert (there.boot("w1"), there.script("a"), there.script("b")) == (b"boot", b"script", None)
    with pytest.raises(ValueError, match="there is no run that has started w2"):
        there.boot("w2")
    assert [there.count("a"), there.count("a")] == [0, 1]
    there.send(b"1 x")
    assert here.take(1.0) == [b"1 x"]
    there.send(b"2 y")
    there.forked()
    there.send(b"1 z")
    assert sorted(here.take(1.0)) == [b"1 z", b"2 y"]
    assert here.take(0.0) == []
    here.release("t")
    there.hold("t")
    mine, theirs = here.clock(), there.clock()
    assert abs(mine.ahead_ns - theirs.ahead_ns) <= mine.error_ns + theirs.error_ns
    here.close()
    assert list(tmp_path.iterdir()) == []
