"""What a process appends through memory is in its files, whole, whoever else writes and whenever it stops."""

import mmap
import os
import signal
import threading
from pathlib import Path

import pytest

from assay import tape as tapes
from assay.event import Event, Kind, encode
from assay.history import Follower, History
from assay.recorder import Recorder
from assay.tape import FIRST, Plain, Tape, ends, whole

LINE = encode(Event(1, Kind.ACKED, 7, "w1", "an-invocation")) + b"\n"


@pytest.fixture
def events(tmp_path: Path) -> Path:
    (tmp_path / "events").mkdir()
    return tmp_path / "events"


def written(events: Path) -> list[bytes]:
    return [line for path in sorted(events.iterdir()) for line in whole(path.read_bytes())[0].splitlines()]


def test_given_more_lines_than_a_window_holds_then_all_are_there_and_full_windows_end_with_them(events: Path) -> None:
    tape = Tape(str(events), 7)
    number = 5 * FIRST // len(LINE)
    for _ in range(number):
        tape.write(LINE)
    assert len(written(events)) == number
    first, *_ = sorted(events.iterdir())
    assert first.stat().st_size == FIRST // len(LINE) * len(LINE)
    assert len(list(History(events.parent))) == number


def test_given_a_line_longer_than_any_window_then_it_has_one_of_its_own(events: Path) -> None:
    tape, line = Tape(str(events), 7), b"x" * (2 * tapes.LARGEST) + b"\n"
    for each in (LINE, line, LINE):
        tape.write(each)
    assert written(events) == [LINE[:-1], line[:-1], LINE[:-1]]


def test_given_a_follower_then_it_reads_each_line_once_and_nothing_of_the_room_behind(events: Path) -> None:
    tape, follower = Tape(str(events), 7), Follower(events.parent)
    for number in (0, 1, 700, 3):
        for _ in range(number):
            tape.write(LINE)
        assert len(follower.advance()) == number


def test_given_a_process_that_has_filled_many_files_then_only_its_last_two_are_looked_at(
    events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.history.LOOK_S", -1.0)
    tape, follower, pid = Tape(str(events), os.getpid()), Follower(events.parent), os.getpid()
    while len(list(events.iterdir())) < 4:
        tape.write(LINE)
    written_so_far = len(written(events))
    assert sum(len(follower.advance()) for _ in range(3)) == written_so_far
    oldest, *_, before, last = sorted(events.iterdir(), key=lambda path: int(path.stem.partition("-")[2]))
    for path, seen in ((oldest, 0), (before, 1), (last, 1)):
        data = path.read_bytes().rstrip(b"\0")
        path.write_bytes(data + LINE)
        assert len(follower.advance()) == seen, f"{path.name} of {pid}"


def test_given_threads_and_a_signal_handler_that_write_too_then_no_line_is_lost_or_mixed(events: Path) -> None:
    tape, each = Tape(str(events), 7), 4000
    handled = 0

    def handler(*_: object) -> None:
        nonlocal handled
        handled += 1
        tape.write(LINE)

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        threads = [threading.Thread(target=lambda: [tape.write(LINE) for _ in range(each)]) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(each):
            tape.write(LINE)
        for thread in threads:
            thread.join()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert handled
    assert written(events) == [LINE[:-1]] * (4 * each + handled)


def test_given_a_closed_tape_then_its_file_ends_and_what_comes_later_is_kept(events: Path) -> None:
    tape = Tape(str(events), 7)
    tape.write(LINE)
    tape.close()
    assert [path.stat().st_size for path in events.iterdir()] == [len(LINE)]
    tape.write(LINE)
    assert written(events) == [LINE[:-1]] * 2


def test_given_a_process_that_is_killed_then_what_it_wrote_before_is_there(events: Path) -> None:
    pid = os.fork()
    if pid == 0:
        Tape(str(events), os.getpid()).write(LINE)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert list(History(events.parent)) == [Event(1, Kind.ACKED, 7, "w1", "an-invocation")]


def test_given_a_file_system_that_shares_no_memory_then_lines_are_written_by_system_calls(
    events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(mmap, "mmap", refuses)
    tape = Tape(str(events), 7)
    tape.write(LINE)
    tape.close()
    assert isinstance(tape._window, Plain)
    assert [path.read_bytes() for path in events.iterdir()] == [LINE]


@pytest.mark.parametrize(
    ("data", "lines", "rest"),
    [
        (b"", b"", b""),
        (b"a\nb\n", b"a\nb\n", b""),
        (b"a\nb", b"a\n", b"b"),
        (b"a\n\0\0\0", b"a\n", b""),
        (b"a\nb\0\0", b"a\n", b"b"),
        (b"a\nb\0c\n\0\0", b"a\n", b"b"),
        (b"\0\0", b"", b""),
    ],
)
def test_given_what_a_kill_leaves_then_complete_lines_are_told_from_the_rest(
    data: bytes, lines: bytes, rest: bytes
) -> None:
    assert whole(data) == (lines, rest)
    assert b"\0" not in data or ends(data)


@pytest.mark.parametrize("data", [b"\0\xff\na\n", b"a\n\0\nb\n"])
def test_given_lines_behind_what_was_not_reached_then_that_is_no_end(data: bytes) -> None:
    assert not ends(data)


def test_given_many_clusters_one_after_the_other_then_no_descriptor_is_left_of_any(events: Path) -> None:
    def held() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = held()
    for _ in range(20):
        recorder = Recorder(str(events), "")
        recorder.record(Kind.SETTLED)
        recorder.close()
    assert held() <= before + 1
    assert len(list(History(events.parent))) == 20


def test_given_a_disk_without_room_then_it_is_said_and_no_file_is_left(
    events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        Tape(str(events), 7)
    assert list(events.iterdir()) == []
