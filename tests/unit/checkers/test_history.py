"""Reading a run's files: clock order, torn ends, damaged lines, many files."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import history
from assay.errors import UsageError
from assay.event import Event, Kind, encode
from assay.history import History

LINE = encode(Event(5, Kind.SETTLED, 1)) + b"\n"


def at(*times: int, pid: int = 1) -> list[Event]:
    return [Event(time, Kind.EFFECT, pid, detail={"number": number}) for number, time in enumerate(times)]


def write(folder: Path, **files: bytes | list[Event]) -> History:
    (folder / "events").mkdir(exist_ok=True)
    for name, content in files.items():
        data = content if isinstance(content, bytes) else b"".join(encode(event) + b"\n" for event in content)
        (folder / "events" / f"{name}.jsonl").write_bytes(data)
    return History(folder)


def test_events_of_all_files_are_in_clock_order(tmp_path: Path) -> None:
    read = write(tmp_path, a=at(1, 4, 9), b=at(2, 3, 10), c=at(5))

    assert [event.at_ns for event in read] == [1, 2, 3, 4, 5, 9, 10]


def test_of_the_same_instant_they_are_in_the_order_of_the_files(tmp_path: Path) -> None:
    read = write(tmp_path, a=at(1, 7, 7, pid=1), b=at(7, 7, 8, pid=2), c=at(0, 7, pid=3))

    assert [event.pid for event in read if event.at_ns == 7] == [1, 1, 2, 2, 3]


def test_it_can_be_read_again(tmp_path: Path) -> None:
    read = write(tmp_path, a=at(1, 4), b=LINE + b"{")

    assert list(read) == list(read)
    assert read.torn == 1


@pytest.mark.parametrize("torn", [b"{", LINE[:-1], b'{"at_ns":7,"kind":"eff'])
def test_a_torn_last_line_is_skipped_and_counted(tmp_path: Path, torn: bytes) -> None:
    read = write(tmp_path, a=LINE + torn, b=torn, c=at(6), d=b"")

    assert [event.at_ns for event in read] == [5, 6]
    assert read.torn == 2


@pytest.mark.parametrize(
    "damaged", [b"nonsense\n", b'{"at_ns":1}\n', b'{"at_ns":1,"kind":"no such","pid":1}\n', b"\x00\xff\n", b'"\xff"\n']
)
@pytest.mark.parametrize("before", [0, 1, 500])
def test_a_damaged_line_is_named_by_file_and_number(tmp_path: Path, damaged: bytes, before: int) -> None:
    read = write(tmp_path, a=LINE, b=LINE * before + damaged + LINE)

    with pytest.raises(UsageError, match=rf"b\.jsonl:{before + 1} is not an event"):
        list(read)


def test_lines_may_be_longer_than_a_chunk(tmp_path: Path) -> None:
    long = Event(3, Kind.EFFECT, 1, detail={"text": "x" * 3 * history.CHUNK})
    read = write(tmp_path, a=[*at(1), long, *at(8)], b=[*at(2), long])

    assert [event.at_ns for event in read] == [1, 2, 3, 3, 8]


def test_no_more_files_are_open_than_overlap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "CHUNK", 100)
    read = write(tmp_path, **{f"child{n:03}": at(*range(100 * n, 100 * n + 30)) for n in range(50)})
    before = len(os.listdir("/proc/self/fd"))
    most = max(len(os.listdir("/proc/self/fd")) - before for _ in read)

    assert most <= 2


def test_files_are_closed_where_the_reader_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "CHUNK", 100)
    before = len(os.listdir("/proc/self/fd"))
    reading = iter(write(tmp_path, a=at(*range(50)), b=at(*range(50))))
    next(reading)
    del reading

    assert len(os.listdir("/proc/self/fd")) == before


def test_a_folder_without_events_is_empty(tmp_path: Path) -> None:
    assert list(History(tmp_path)) == []


@settings(deadline=None)
@given(
    files=st.lists(st.lists(st.integers(0, 40)).map(sorted), max_size=6),
    torn=st.sets(st.integers(0, 5)),
    chunk=st.integers(1, 400),
)
def test_the_order_is_that_of_one_stable_sort(files: list[list[int]], torn: set[int], chunk: int) -> None:
    written = {f"f{number}": at(*times, pid=number) for number, times in enumerate(files)}
    usual, history.CHUNK = history.CHUNK, chunk
    try:
        with TemporaryDirectory() as folder:
            read = write(Path(folder), **written)
            for number in torn:
                with (Path(folder) / "events" / f"f{number}.jsonl").open("ab") as file:
                    file.write(LINE[:-1])
            due = [event for events in written.values() for event in events]
            assert list(read) == sorted(due, key=lambda event: event.at_ns)
            assert read.torn == len(torn)
    finally:
        history.CHUNK = usual
