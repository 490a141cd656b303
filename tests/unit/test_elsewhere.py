"""Workers that others run: their table, their commands, their clocks and pids, and what is judged of them."""

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from checkers.histories import acked, attempt, event, published, received, settled, started, story
from targets import subject, task

from assay.chaos import elsewhere
from assay.chaos.judging import FOLDER, NOT_IN_ORDER, judge
from assay.chaos.possible import must_not_be_barred
from assay.chaos.script import ChaosScript, Strike, Workload
from assay.elsewhere import address, clocks, host
from assay.elsewhere.clocks import Clocks, Offset, Reading
from assay.elsewhere.fit import must_fit
from assay.elsewhere.intake import Placing
from assay.elsewhere.table import Workers, filled, must_be_usable
from assay.errors import HarnessError, UsageError
from assay.event import PIDS, Event, Kind, Point, encode, told_pid
from assay.settings import load
from assay.verdict import Verdict

BROKER = "redis://broker.example:6379/5"
GOOD: dict[str, Any] = {"start": "sh start {worker} {recorder}", "kill": "sh kill {worker}", "list": "sh list"}
MS = 1_000_000


# -- the table


@pytest.mark.parametrize(
    ("changes", "broker", "said"),
    [
        ({"start": ""}, BROKER, "start is missing: the command that starts one worker in the background"),
        ({"kill": "  "}, BROKER, "kill is missing"),
        ({"list": ""}, BROKER, "list is missing: the command that prints the names"),
        ({"start": "sh -c 'run {worker}"}, BROKER, 'start: "sh -c \'run {worker}" is no command: no closing quotation'),
        ({"start": "sh run"}, BROKER, "start must have {worker} where the name of the worker goes"),
        ({"kill": "sh kill {wroker}"}, BROKER, "kill: unknown placeholder {wroker}; did you mean worker"),
        ({"list": "sh list {worker}"}, BROKER, "list: unknown placeholder {worker}; there are none"),
        ({"stop": "no-such-program {worker}"}, BROKER, "stop: there is no program no-such-program here"),
        ({"pause": "sh pause {worker}"}, BROKER, "pause is given without resume: a worker that is paused has to go on"),
        ({"resume": "sh go {worker}"}, BROKER, "resume is given without pause"),
        ({"timeout_s": 0.0}, BROKER, "timeout_s is 0: say how many seconds a command may take"),
        ({"timeout_s": float("nan")}, BROKER, "timeout_s is nan"),
        ({}, "fakeredis", "the run's broker would be fakeredis, which only this one reaches: say --broker URL"),
        ({}, "amqp://broker.example/empty", "the broker is no Redis, so what is recorded needs another way back"),
        ({"broker_there": "broker:6379"}, BROKER, "broker_there: broker:6379 is no address such as redis://"),
        ({"broker_there": "amqp://b"}, BROKER, "broker_there: amqp://b is another kind of broker than --broker"),
        ({"recorder": "/no/such/folder"}, BROKER, "recorder: there is no folder /no/such/folder; it is one that both"),
        ({"recorder": "http://u:secret@there"}, BROKER, "recorder: http://u:***@there is no Redis: it is redis://"),
        ({"recorder_there": "/mnt"}, BROKER, "recorder_there is how the workers reach what `recorder` names"),
        ({"recorder": "redis://a", "recorder_there": "/mnt"}, BROKER, "recorder is a Redis and recorder_there"),
        (
            {"recorder": "/tmp", "recorder_there": "redis://a"},
            BROKER,
            "recorder is a folder and",
        ),
    ],
)
def test_each_mistake_in_the_table_is_one_sentence(changes: dict[str, Any], broker: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        must_be_usable(Workers(**GOOD | changes), broker)
    assert str(raised.value).startswith("workers: ")
    assert said in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('workers = "docker"', "workers must be a table: [workers], or [tool.assay.workers] in a pyproject.toml"),
        ('[workers]\nstrat = "x"', "workers: unknown key strat; did you mean start"),
        ("[workers]\nstart = 3", "workers.start: expected str, got int"),
        ('[workers]\ntimeout_s = "long"', "workers.timeout_s: expected float, got str"),
    ],
)
def test_a_table_of_another_shape_is_told_with_its_file(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "assay.toml").write_text(text)
    with pytest.raises(UsageError) as raised:
        load({}, cwd=tmp_path)
    assert str(raised.value) == f"{tmp_path / 'assay.toml'}: {said}" or said in str(raised.value)


def test_a_folder_for_the_recorder_is_beside_the_file_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "assay.toml").write_text('[workers]\nrecorder = "shared"')
    workers = load({}, cwd=tmp_path).workers
    assert workers
    assert workers.recorder == str(tmp_path / "shared")


def test_a_good_table_is_usable_and_its_commands_keep_what_is_not_theirs() -> None:
    must_be_usable(Workers(**GOOD, stop="sh stop {worker}", pause="sh p {worker}", resume="sh r {worker}"), BROKER)
    must_be_usable(Workers(**GOOD, recorder="redis://other"), "amqp://broker.example/empty")
    words = filled("docker ps --format '{{.Names}}' -f \"name={worker} of it\" ${worker}", {"worker": "w 1"})
    assert words == ["docker", "ps", "--format", "{{.Names}}", "-f", "name=w 1 of it", "${worker}"]


@pytest.mark.parametrize(
    ("fault", "changes", "said"),
    [
        ("SIGKILL child", {}, "SIGKILL child is not available: the workers are on other machines, and no command"),
        ("connection cut", {}, "connection cut is not available"),
        ("SIGTERM", {}, "SIGTERM is not available: [workers] has no command stop"),
        ("SIGSTOP", {"stop": "sh {worker}"}, "SIGSTOP is not available: [workers] has no command pause"),
    ],
)
def test_a_fault_that_no_command_can_do_is_refused(
    tmp_path: Path, fault: str, changes: dict[str, str], said: str
) -> None:
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in (GOOD | changes).items())
    (tmp_path / "assay.toml").write_text(f"[workers]\n{lines}\n")
    settings = load({}, cwd=tmp_path)
    must_not_be_barred(settings, ["SIGKILL main"])
    with pytest.raises(UsageError, match="not available") as raised:
        must_not_be_barred(settings, [fault])
    assert said in str(raised.value)


# -- a worker that is there


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ({"pool": "solo", "queues": ["celery"]}, "w1 runs the pool solo, and prefork is judged: say --pool solo"),
        (
            {"pool": "prefork", "queues": ["celery"]},
            "w1 consumes celery, and not own, where shop.charge goes: give its command -Q celery,own",
        ),
    ],
)
def test_a_worker_that_is_another_than_is_judged_is_refused(detail: dict[str, Any], said: str) -> None:
    fits = Event(1, Kind.WORKER_READY, 1, "w1", detail={"pool": "prefork", "queues": ["own", "celery"]})
    must_fit(fits, "w1", "prefork", {"own": "shop.charge"})
    with pytest.raises(UsageError) as raised:
        must_fit(Event(1, Kind.WORKER_READY, 1, "w1", detail=detail), "w1", "prefork", {"own": "shop.charge"})
    assert str(raised.value) == said


# -- clocks, hosts and pids

BOX = "box 1-2-3 pid:[1] time:[1]"


def test_an_address_is_one_word_that_no_shell_looks_into_and_comes_back() -> None:
    sent = address.Address("redis://:pass word@h:1/0?a=b&c=$d", "assay-1:", "w1")
    assert set(sent.text()) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
    assert address.read(sent.text()) == sent
    for wrong in ("redis://h", "", "e30", base64.urlsafe_b64encode(b"\xff").decode()):
        with pytest.raises(ValueError, match="ASSAY_RECORDER is not what Assay has put there"):
            address.read(wrong)


def test_a_clock_is_fixed_by_its_first_reading_and_what_it_drifts_is_added_to_its_error() -> None:
    known = Clocks()
    assert known.read("c", Reading(500, 10), Reading(100_000_500, 20)) == Offset(-100_000_000, 30)
    assert known.read("c", Reading(500, 10), Reading(100_000_500, 20)) == Offset(-100_000_000, 30)
    assert known.read("c", Reading(500, 10), Reading(100_007_500, 20)) == Offset(-100_000_000, 7030)


def test_the_same_clock_has_no_error_unless_somebody_has_faked_it() -> None:
    assert Clocks().read("c", Reading(40_000, 10), Reading(0, 20), same=True) == Offset(0, 0)
    faked = Clocks().read("c", Reading(-86_400_000 * MS, 10), Reading(0, 20), same=True)
    assert faked == Offset(-86_400_000 * MS, 30)
    assert clocks.told({"box": faked}).startswith("the workers' clocks are +86400.000 s from this machine's, known to")
    assert clocks.told({"box": Offset()}) == "the workers' clock is this machine's"


def placed(placing: Placing, worker: str, pid: int, number: int = 1, **more: Any) -> Event:
    found = placing.place(number, Event(7_000, more.pop("kind", Kind.BODY_ENTERED), pid, worker, host=BOX, **more))
    assert found is not None
    return found


def test_pids_of_other_machines_are_told_apart_from_ours_and_from_each_other() -> None:
    placing = Placing("here - - -", lambda: Reading(1_000, 0))
    first = placed(placing, "w1", 17, kind=Kind.CLOCK, detail={"ahead_ns": 3_000, "error_ns": 5})
    again = placed(placing, "w1", 17, 2, attempt="17-4", detail={"child": 18, "asked_at_ns": 6_000, "start": 0})
    other = placed(placing, "w2", 17, kind=Kind.CLOCK, detail={"ahead_ns": 3_000, "error_ns": 5})
    assert len({first.pid, other.pid, 17}) == 3
    assert (again.pid, again.attempt) == (PIDS + 17, f"{PIDS + 17}-4")
    assert again.detail == {"child": PIDS + 18, "asked_at_ns": 8_000, "start": 0}
    assert (again.at_ns, again.host) == (9_000, "box")
    assert told_pid(again.pid) == "17 of another machine"
    assert told_pid(17) == "17"


def test_a_line_that_came_twice_is_one_and_one_that_never_came_is_missed() -> None:
    placing = Placing("here - - -", lambda: Reading(0, 0))
    clock = Event(1, Kind.CLOCK, 5, "w1", detail={"ahead_ns": 0, "error_ns": 0}, host=BOX)
    assert placing.place(1, clock) is not None
    assert placing.place(1, clock) is None
    assert placing.missing() == []
    placed(placing, "w1", 5, 3)
    assert placing.missing() == ["w1"]


def test_events_before_the_clock_are_refused() -> None:
    with pytest.raises(HarnessError, match="w1 sent events before it has told what its clock shows"):
        placed(Placing("here - - -", lambda: Reading(0, 0)), "w1", 5)


def test_a_machine_tells_what_its_clock_and_pids_mean_anything_in() -> None:
    mine = host.identity()
    assert len(mine.split(" ")) == 4
    assert host.clock(mine) == " ".join([mine.split(" ")[1], mine.split(" ")[3]])
    assert host.clock("box - pid:[1] time:[1]") == "", "without a boot id nobody knows"


# -- judging

SHOP = subject(task(name="shop.charge"))
STRIKE = Strike(fault="SIGKILL main", invocation=1, point=Point.BODY_MIDDLE)
SCRIPT = ChaosScript(seed=7, workload=Workload(tasks=("shop.charge",), number=1), faults=(STRIKE,))
KILL = {"fault": "SIGKILL main", "target": 10, "signal": "SIGKILL", "point": "body_middle"}
HARNESS = 1
FRESH = tuple(part for each in ("y", "z") for part in (published(each), received(each), *attempt(each), acked(each)))
STORY = story(
    *(published(), received(), *started()),
    *(event(kind, "a", pid=HARNESS, **KILL) for kind in (Kind.FAULT_INJECTED, Kind.FAULT_LANDED)),
    event(Kind.WORKER_EXITED, pid=10, status=None, closed=False),
    *(received(redelivered=True), *attempt(number=2, pid=12), acked()),
    *FRESH,
    *(settled(), event(Kind.FINAL_UNACKED, pid=HARNESS, worker="", ids=[])),
)


def judged(folder: Path, error_ms: float, *doubts: str) -> dict[str, tuple[Verdict, str]]:
    """{row: verdict and reason}; fresh tasks begin 9.9 s after they were published, by a clock with this error."""
    events = []
    for each in STORY:
        theirs = each.pid != HARNESS and each.kind is not Kind.WORKER_EXITED
        late = theirs and each.invocation in ("y", "z")
        at_ns = each.at_ns + (9_800 * MS if late else 0)
        events.append(msgspec.structs.replace(each, at_ns=at_ns, host="box" if theirs else ""))
    end = max(each.at_ns for each in events)
    last = (Kind.SETTLED, Kind.FINAL_UNACKED)
    events = [msgspec.structs.replace(e, at_ns=end + 1) if e.kind in last else e for e in events]
    events.sort(key=lambda each: each.at_ns)
    (folder / FOLDER / "events").mkdir(parents=True)
    (folder / FOLDER / "events/1-1.jsonl").write_bytes(b"".join(encode(each) + b"\n" for each in events))
    elsewhere.keep(folder / FOLDER, {"box": Offset(5, int(error_ms * MS))}, list(doubts))
    return {row.scenario: (row.verdict, row.reason) for row in judge(SHOP, SCRIPT, "at_least_once", folder)}


def test_what_a_clocks_error_cannot_turn_is_held_and_what_it_can_is_unknown(tmp_path: Path) -> None:
    fine, coarse = judged(tmp_path / "fine", 20), judged(tmp_path / "coarse", 300)
    assert {row: verdict for row, (verdict, _) in fine.items()} == dict.fromkeys(fine, Verdict.HELD)
    verdict, reason = coarse["fresh_tasks"]
    assert verdict is Verdict.UNKNOWN
    assert reason.startswith(NOT_IN_ORDER)
    assert coarse["sigkill_main"][0] is Verdict.HELD, "whether it was recovered is no matter of order"


def test_where_not_all_that_was_sent_has_arrived_nothing_is_held(tmp_path: Path) -> None:
    rows = judged(tmp_path, 0, "not all that w1 has sent has arrived")
    assert {verdict for verdict, _ in rows.values()} == {Verdict.UNKNOWN}
    assert all(
        reason.startswith("not all that w1 has sent has arrived, so it is not known") for _, reason in rows.values()
    )
