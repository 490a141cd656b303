"""What was judged is written down, and a run folder that has less of it later is refused rather than judged."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from checkers.histories import acked, attempt, event, published, received, settled, started, story
from targets import subject, task

from assay import case as cases
from assay.canary import FOLDER as CANARY
from assay.case import Case
from assay.chaos import judging
from assay.chaos import script as scripts
from assay.chaos.again import facts_of_small
from assay.chaos.run import Performed, finished
from assay.chaos.script import ChaosScript, Workload
from assay.checkers import AnyChecker, Delivery, Evidence
from assay.conclusion import Facts
from assay.errors import UsageError
from assay.event import Event, Kind, encode
from assay.facts import NAME as FACTS
from assay.facts import keep, read
from assay.history import History
from assay.inventory import Extent
from assay.plan import Planned
from assay.report import CANARY_LOST
from assay.run import check_again
from assay.verdict import Outcome, Verdict

SHOP = subject(task(name="shop.charge"))
ONE = Planned(
    suite="acks_late",
    scenario="child_killed_exit",
    task="shop.charge",
    members=["shop.charge"],
    fault="SIGKILL child",
    folder="cases/000",
)
BIRD = msgspec.structs.replace(ONE, suite=CANARY, scenario="acks_early", folder=CANARY)
KILL: dict[str, Any] = {"fault": "SIGKILL child", "target": 11, "signal": "SIGKILL", "point": "body_exit"}
TWICE = story(
    published(),
    received(),
    *attempt(),
    event(Kind.FAULT_INJECTED, "a", pid=1, **KILL),
    event(Kind.FAULT_LANDED, "a", pid=1, **KILL),
    event(Kind.CHILD_LOST, "a", child=11, exitcode=-9),
    received(redelivered=True),
    *attempt(number=2, pid=12),
    acked(),
    settled(),
)
LOST = story(
    published(),
    received(),
    acked(),
    *started(),
    event(Kind.FAULT_INJECTED, "a", pid=1, **KILL),
    event(Kind.FAULT_LANDED, "a", pid=1, **KILL),
    settled(),
)
ROOM = bytes(1000)
Damage = Callable[[Path], object]


def record(folder: Path, events: list[Event]) -> None:
    """A file for each process, with room behind it that was not reached and half a line, as a kill leaves them."""
    (folder / "events").mkdir(parents=True)
    for pid in sorted({each.pid for each in events}):
        lines = b"".join(encode(each) + b"\n" for each in events if each.pid == pid)
        (folder / f"events/{pid}-1.jsonl").write_bytes(lines + b'{"at_ns' + ROOM)


def case_of(planned: Planned, contract: Any) -> Case:
    checkers: list[AnyChecker] = [Delivery(contract=contract, ids=["a"]), Evidence(landed=1)]
    about = {name: getattr(planned, name) for name in ("suite", "scenario", "task", "members", "fault")}
    return Case(**about, checkers=checkers)


def facts_of(**known: Any) -> Facts:
    usual: dict[str, Any] = {
        "broker": "fakeredis",
        "broker_version": "7",
        "pool": "prefork",
        "cold": False,
        "live": False,
    }
    return Facts(subject=SHOP, members={"shop.charge": ["shop.charge"]}, **{**usual, **known})


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run: what it ran was done twice, and its canary was lost."""
    folder = tmp_path / "run"
    for planned, contract, events in ((ONE, "effectively_once", TWICE), (BIRD, "at_least_once", LOST)):
        record(folder / planned.folder, events)
        cases.close(case_of(planned, contract), folder / planned.folder, folder)
    keep(facts_of(plan=[ONE], canary=CANARY_LOST, duration_s=1.0), folder)
    return folder


def refused(folder: Path) -> str:
    with pytest.raises(UsageError) as refusal:
        check_again(folder)
    said = str(refusal.value)
    assert "copy all of it again from where it was run, or run again" in said
    return said


def cut(path: Path) -> None:
    data = path.read_bytes().partition(b"\0")[0]
    path.write_bytes(data[: len(data) // 2])


def test_given_a_run_folder_that_is_whole_wherever_it_is_then_it_is_judged_as_before(run: Path, tmp_path: Path) -> None:
    for folder in (run, Path(shutil.copytree(run, tmp_path / "elsewhere"))):
        report = check_again(folder)
        assert (report.verdict, report.canary) == (Verdict.VIOLATED, CANARY_LOST)
        assert report.results[0].outcome is Outcome.DUPLICATED


@pytest.mark.parametrize(
    ("place", "pid"), [*((ONE.folder, pid) for pid in (1, 10, 11, 12)), *((CANARY, pid) for pid in (1, 10, 11))]
)
def test_given_an_event_file_that_is_gone_or_cut_or_emptied_then_it_is_named(run: Path, place: str, pid: int) -> None:
    file = run / place / f"events/{pid}-1.jsonl"
    cut(file)
    assert re.search(rf"{re.escape(str(file))} holds \d+ of the \d+ bytes of events", refused(run))
    file.write_bytes(b"")
    assert f"{file} holds 0 of the " in refused(run)
    file.unlink()
    assert f"{file} is missing;" in refused(run)


@pytest.mark.parametrize("place", [ONE.folder, CANARY])
def test_given_a_case_without_any_events_then_how_many_files_are_not_whole_is_told(run: Path, place: str) -> None:
    number = len(list((run / place / "events").iterdir()))
    shutil.rmtree(run / place / "events")
    assert f"1-1.jsonl is missing (not whole either: {number - 1} other file" in refused(run)


@pytest.mark.parametrize("place", [ONE.folder, CANARY])
def test_given_a_finished_run_without_one_of_its_cases_then_what_is_missing_is_named(run: Path, place: str) -> None:
    shutil.rmtree(run / place)
    assert f"{run / place}/case.json is missing;" in refused(run)


def test_given_an_event_that_is_another_one_by_now_then_its_file_is_named(run: Path) -> None:
    file = run / ONE.folder / "events/12-1.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"SUCCESS"', b'"FAILURE"'))
    assert f"{file} does not hold the events that the run has judged;" in refused(run)


def test_given_what_a_process_appended_when_all_was_judged_then_it_is_judged_too(run: Path) -> None:
    file = run / ONE.folder / "events/12-1.jsonl"
    lines = file.read_bytes().partition(b"\0")[0].rpartition(b"\n")[0] + b"\n"
    late = encode(Event(10**12, Kind.CHILD_STOPPING, 12, "w1")) + b"\n"
    file.write_bytes(lines + late)
    (file.parent / "13-1.jsonl").write_bytes(late)
    assert check_again(run).verdict is Verdict.VIOLATED
    file.write_bytes(lines.replace(b'"SUCCESS"', b'"FAILURE"') + late)
    assert f"{file} does not hold the events" in refused(run)


def test_given_a_copy_without_the_room_that_was_not_reached_then_nothing_is_missing(run: Path) -> None:
    for file in run.rglob("*.jsonl"):
        file.write_bytes(file.read_bytes().rstrip(b"\0"))
    assert check_again(run).verdict is Verdict.VIOLATED


def test_given_a_run_that_was_broken_off_then_what_was_not_closed_is_unknown_and_what_was_must_be_whole(
    run: Path,
) -> None:
    (run / FACTS).unlink()
    two = msgspec.structs.replace(ONE, scenario="child_killed_middle", folder="cases/001")
    record(run / two.folder, TWICE[:4])
    keep(facts_of(plan=[ONE, two]), run)
    report = check_again(run)
    assert [row.verdict for row in report.results] == [Verdict.VIOLATED, Verdict.UNKNOWN]
    assert "broken off" in report.results[1].reason
    assert report.canary == ""
    cut(run / ONE.folder / "events/12-1.jsonl")
    assert "12-1.jsonl holds " in refused(run)


def test_given_a_folder_of_a_version_without_inventories_then_it_is_judged_as_far_as_it_is_there(run: Path) -> None:
    for file in run.rglob("case.json"):
        kept = msgspec.json.decode(file.read_bytes())
        del kept["events"]
        file.write_bytes(msgspec.json.encode(kept))
    assert check_again(run).verdict is Verdict.VIOLATED
    (run / ONE.folder / "events/12-1.jsonl").unlink()
    check_again(run)


def test_given_a_file_that_cannot_be_read_then_that_is_told(run: Path) -> None:
    file = run / ONE.folder / "events/12-1.jsonl"
    file.unlink()
    file.mkdir()
    with pytest.raises(UsageError, match=r"12-1\.jsonl cannot be read: Is a directory"):
        check_again(run)


@pytest.fixture
def chaos(tmp_path: Path) -> Path:
    """A finished chaos run."""
    folder, script = tmp_path / "chaos-run", ChaosScript(seed=7, workload=Workload(tasks=("shop.charge",), number=2))
    record(folder / judging.FOLDER, TWICE)
    scripts.write(script, folder / scripts.NAME)
    (folder / judging.FOLDER / judging.ERROR).write_text("the harness broke")
    history = History(folder / judging.FOLDER)
    results = judging.judge_history(SHOP, script, "at_least_once", history)
    finished(facts_of(demanded="at_least_once"), Performed(results, [], history.inventory), folder, 1.0)
    return folder


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("chaos/events/12-1.jsonl", cut),
        ("chaos/events/12-1.jsonl", Path.unlink),
        ("chaos/events/1-1.jsonl", lambda path: shutil.rmtree(path.parent)),
        ("chaos/error.txt", Path.unlink),
        ("chaos/error.txt", cut),
        ("chaos.toml", lambda path: path.write_text(path.read_text().replace("number = 2", "number = 3"))),
    ],
)
def test_given_a_chaos_run_that_lacks_something_then_it_is_named(chaos: Path, name: str, damage: Damage) -> None:
    assert check_again(chaos).verdict is Verdict.UNKNOWN
    damage(chaos / name)
    assert str(chaos / name) in refused(chaos)


def test_given_a_smallest_script_then_it_has_no_inventory_of_the_run_that_it_was_made_from(chaos: Path) -> None:
    facts = read(chaos)
    assert facts.events
    small = facts_of_small(facts, scripts.read(chaos / scripts.NAME))
    assert (small.files, small.events) == ({}, {})


def test_the_extent_of_a_file_is_the_same_in_however_many_pieces_it_is_read() -> None:
    assert Extent().plus(b"one").plus(b"two") == Extent().plus(b"onetwo") != Extent().plus(b"onetow")
