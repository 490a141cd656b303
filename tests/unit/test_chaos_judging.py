"""What is said of a chaos run: a row for each fault and task, and doubt where the run did not come to its end."""

from pathlib import Path
from typing import Any

import pytest
from checkers.histories import (
    At,
    acked,
    attempt,
    ended,
    event,
    published,
    received,
    retry,
    settled,
    started,
    still_queued,
    story,
)
from targets import subject, task

from assay.chaos.judging import FOLDER, NO_FAULT, judge, numbers
from assay.chaos.script import ChaosScript, Strike, Workload
from assay.contract.terms import Terms
from assay.event import Event, Kind, Point, encode
from assay.subject import Subject
from assay.verdict import BESIDE, Outcome, Result, Verdict

SHOP = subject(task(name="shop.charge"))
STRIKE = Strike(fault="SIGKILL child", invocation=1, point=Point.BODY_MIDDLE)
SCRIPT = ChaosScript(seed=7, workload=Workload(tasks=("shop.charge",), number=2), faults=(STRIKE,))
ENDS = (settled(), event(Kind.FINAL_UNACKED, pid=1, worker="", ids=[]))


def struck(fault: str = "SIGKILL child", pid: int = 11) -> tuple[At, ...]:
    detail = {"fault": fault, "target": pid, "signal": "SIGKILL", "point": "body_middle"}
    lost = event(Kind.CHILD_LOST, "a", child=pid, exitcode=-9)
    return event(Kind.FAULT_INJECTED, "a", pid=1, **detail), event(Kind.FAULT_LANDED, "a", pid=1, **detail), lost


FRESH = tuple(part for each in ("y", "z") for part in (published(each), received(each), *attempt(each), acked(each)))
AGAIN = (received(redelivered=True), *attempt(number=2, pid=12), acked())
RECOVERED = (published(), received(), *started(), *struck(), *AGAIN, *FRESH, *ENDS)
LOST = (published(), received(), acked(), *started(), *struck(), *FRESH, *ENDS)


def judged(
    folder: Path,
    *events: At | Event,
    script: ChaosScript = SCRIPT,
    demanded: str = "at_least_once",
    app: Subject = SHOP,
) -> dict[str, Result]:
    (folder / FOLDER / "events").mkdir(parents=True)
    lines = b"".join(encode(each) + b"\n" for each in story(*events))
    (folder / FOLDER / "events/1-1.jsonl").write_bytes(lines)
    return {row.scenario: row for row in judge(app, script, demanded, folder)}


def test_given_a_kill_that_was_recovered_from_then_all_rows_hold(tmp_path: Path) -> None:
    rows = judged(tmp_path, *RECOVERED)
    assert {name: row.verdict for name, row in rows.items()} == dict.fromkeys(
        ("sigkill_child", "not_struck", "fresh_tasks", "messages_reach_workers"), Verdict.HELD
    )
    assert rows["sigkill_child"].outcome is Outcome.RECOVERED
    assert (rows["sigkill_child"].injected, rows["sigkill_child"].landed) == (1, 1)


def test_given_an_early_acknowledgement_then_the_struck_one_is_lost_and_no_time_is_told(tmp_path: Path) -> None:
    row = judged(tmp_path, *LOST)["sigkill_child"]
    assert (row.verdict, row.outcome, row.recovery_s) == (Verdict.VIOLATED, Outcome.LOST, None)
    assert "the fault: SIGKILL child at body_middle" in row.reason
    assert "set task_acks_late=True" in row.remedy


def test_given_old_names_then_a_remedy_has_the_old_name(tmp_path: Path) -> None:
    old = subject(task(name="shop.charge"), spelling={"task_acks_late": "CELERY_ACKS_LATE"})
    assert "set CELERY_ACKS_LATE=True" in judged(tmp_path, *LOST, app=old)["sigkill_child"].remedy


def test_given_what_was_done_twice_after_its_kill_then_its_time_is_no_recovery(tmp_path: Path) -> None:
    twice = (received(redelivered=True), *attempt(number=3, pid=13), acked())
    row = judged(tmp_path, *RECOVERED[: -len(ENDS)], *twice, *ENDS)["sigkill_child"]
    assert (row.outcome, row.recovery_s) == (Outcome.DUPLICATED, None)


def test_given_a_fault_that_never_landed_then_its_row_is_unknown(tmp_path: Path) -> None:
    script = ChaosScript(
        seed=7, workload=SCRIPT.workload, faults=(STRIKE, Strike(fault="SIGTERM", invocation=2, point=Point.BODY_EXIT))
    )
    row = judged(tmp_path, *RECOVERED, script=script)["sigterm"]
    assert row.verdict is Verdict.UNKNOWN
    assert row.reason == "no SIGTERM landed"


def test_given_no_fault_at_all_then_nothing_is_proved(tmp_path: Path) -> None:
    script = ChaosScript(seed=7, workload=SCRIPT.workload)
    rows = judged(tmp_path, *FRESH, *ENDS, script=script)
    assert (rows["run"].verdict, rows["run"].reason) == (Verdict.UNKNOWN, NO_FAULT)
    assert "fresh_tasks" not in rows, "it is about what runs after a fault"


@pytest.mark.parametrize("whole", [RECOVERED, LOST])
def test_given_a_run_that_was_broken_off_then_nothing_is_known_of_it(whole: tuple[At, ...], tmp_path: Path) -> None:
    rows = judged(tmp_path, *whole[:-1])
    assert {row.verdict for row in rows.values()} == {Verdict.UNKNOWN}
    assert all("broken off" in row.reason for row in rows.values())


def test_given_a_run_that_did_not_settle_then_what_is_still_open_is_not_known_to_be_stuck(tmp_path: Path) -> None:
    unsettled = event(Kind.UNSETTLED, pid=1, worker="", open=["something"])
    ends = (still_queued("a"), unsettled, ENDS[1])
    row = judged(tmp_path, published(), received(), *started(), *struck(), *FRESH, *ends)["sigkill_child"]
    assert (row.verdict, row.outcome) == (Verdict.UNKNOWN, Outcome.STUCK)
    assert row.reason.startswith("the run did not settle, so it is not known: ")


def test_given_a_run_in_which_nothing_happened_any_more_then_what_is_open_is_stuck(tmp_path: Path) -> None:
    quiet = event(Kind.UNSETTLED, pid=1, worker="", open=["something"], quiet=True)
    ends = (still_queued("a"), quiet, ENDS[1])
    row = judged(tmp_path, published(), received(), *started(), *struck(), *FRESH, *ends)["sigkill_child"]
    assert (row.verdict, row.outcome) == (Verdict.VIOLATED, Outcome.STUCK)


def test_given_a_message_that_reached_no_worker_then_that_is_a_row_of_its_own(tmp_path: Path) -> None:
    rows = judged(tmp_path, published("b"), *RECOVERED)
    assert rows["messages_reach_workers"].verdict is Verdict.VIOLATED
    assert rows["not_struck"].verdict is Verdict.HELD


@pytest.mark.parametrize(
    "restored", [event(Kind.SWEPT, pid=2, restored=1, tags=["tag-1"]), event(Kind.GIVEN_BACK, "a")]
)
def test_given_a_message_that_was_given_back_and_reached_no_worker_then_it_is_not_the_faults_doing(
    tmp_path: Path, restored: Event
) -> None:
    taken = event(Kind.RECEIVED, "a", pid=1, tag="tag-1", redelivered=False, queue="q")
    whole = (published(), taken, *started(), *struck(), restored, *FRESH, *ENDS)
    rows = judged(tmp_path / "swept", *whole)
    assert rows["messages_reach_workers"].verdict is Verdict.VIOLATED
    assert "was given back to its queue, taken from it again" in rows["messages_reach_workers"].reason
    assert rows["sigkill_child"].outcome is not Outcome.LOST
    without = [each for each in whole if each is not restored]
    assert judged(tmp_path / "not", *without)["sigkill_child"].outcome is Outcome.LOST


def test_invocations_are_numbered_in_the_order_in_which_they_were_asked_for(tmp_path: Path) -> None:
    judged(tmp_path, *RECOVERED)
    assert numbers(tmp_path, SCRIPT) == {"a": 1, "y": 2}


def test_given_a_task_whose_messages_are_refused_then_it_has_a_violated_row_that_says_why(tmp_path: Path) -> None:
    refused = [event(Kind.PUBLISH_FAILED, each, pid=1, worker="", error="QueueNotFound: bulk") for each in ("u", "v")]
    rows = judged(tmp_path, *refused, *RECOVERED)
    assert rows["published"].verdict is Verdict.VIOLATED
    assert "could not be published: QueueNotFound: bulk" in rows["published"].reason
    assert rows["published"].remedy.startswith("declare its queue in task_queues")
    assert rows["sigkill_child"].verdict is Verdict.HELD
    old = subject(task(name="shop.charge"), spelling={"task_queues": "CELERY_QUEUES"})
    rows = judged(tmp_path / "old", *refused, *RECOVERED, app=old)
    assert rows["published"].remedy.startswith("declare its queue in CELERY_QUEUES")


def test_given_a_body_that_still_runs_when_the_workers_are_closed_then_it_is_not_called_lost(tmp_path: Path) -> None:
    unsettled = event(Kind.UNSETTLED, pid=1, worker="", open=["a runs in w1"])
    closing = event(Kind.WORKER_EXITED, pid=10, exitcode=-9, closed=True)
    child = event(Kind.CHILD_STARTED, pid=11)
    row = judged(tmp_path, child, published(), received(), *started(), unsettled, ENDS[1], closing)["not_struck"]
    assert (row.verdict, row.outcome) == (Verdict.UNKNOWN, Outcome.STUCK)


def test_given_one_that_was_struck_and_whose_worker_is_then_killed_for_another_then_that_is_not_the_first_faults_doing(
    tmp_path: Path,
) -> None:
    paused = {"fault": "SIGSTOP", "target": 10, "signal": "SIGSTOP", "point": "body_middle"}
    killed = {"fault": "SIGKILL group", "target": 10, "signal": "SIGKILL", "point": "body_middle"}

    def landed(invocation: str, worker: str, **detail: object) -> list[At]:
        kinds = (Kind.FAULT_INJECTED, Kind.FAULT_LANDED)
        return [event(kind, invocation, pid=1, worker=worker, **detail) for kind in kinds]

    others = (published("b"), received("b"), acked("b"), *started("b", pid=13))
    unhurt = (published("c"), received("c"), *landed("c", "w2", **paused), *attempt("c", pid=14), acked("c"))
    whole = (published(), received(), acked(), *started(), *unhurt, *others, *landed("a", "w1", **paused))
    rows = judged(tmp_path, *whole, *landed("b", "w1", **killed), *FRESH, *ENDS)
    assert rows["sigstop"].verdict is Verdict.HELD
    assert rows["sigkill_group"].outcome is Outcome.LOST
    assert (rows["not_struck"].verdict, rows["not_struck"].outcome) == (Verdict.VIOLATED, Outcome.LOST)
    assert rows["not_struck"].judgements[0].figures[BESIDE] == {"SIGKILL group": 1}


def test_given_a_burst_that_did_not_land_then_what_ended_itself_is_not_lost_under_load(tmp_path: Path) -> None:
    poison = event(Kind.FAULT_INJECTED, "p", pid=1, worker="", fault="crash burst")
    gone = (published("p"), poison, received("p"), acked("p"), *started("p", pid=15))
    assert judged(tmp_path / "burst", *gone, *RECOVERED)["not_struck"].verdict is Verdict.HELD
    without = [each for each in gone if each is not poison]
    assert judged(tmp_path / "none", *without, *RECOVERED)["not_struck"].outcome is Outcome.LOST


def ahead(*, by_fault: bool) -> tuple[At, ...]:
    """A fault lands, and a worker whose clock is ahead gives back b's message: its own, or one that came later."""
    clock = {"fault": "clock ahead", "target": 10}
    faults = [event(kind, "a", pid=1, **clock) for kind in (Kind.FAULT_INJECTED, Kind.FAULT_LANDED)]
    joined = [event(Kind.WORKER_SPAWNED, pid=1, worker=each, clock_offset_s=4000.0) for each in ("w2", "w3")]
    sweeps = event(Kind.SWEPT, pid=20, worker="w2" if by_fault else "w3", restored=1, tags=["t-b"])
    return faults[0], joined[0], faults[1], joined[1], sweeps


def with_b(*middle: At, task: str = "shop.charge") -> tuple[At, ...]:
    """b runs while a does, and once more afterwards."""
    begins = (
        published(),
        received(tag="t-a"),
        *started(),
        published("b"),
        received("b", tag="t-b"),
        *started("b", pid=12),
    )
    again = (received("b", redelivered=True, tag="t-b"), *attempt("b", 2, pid=21), acked("b"))
    whole = (*begins, *middle, *ended(), acked(), *ended("b", pid=12), *again, *FRESH, *ENDS)
    return tuple(At(each, task=task) if each["invocation"] == "b" else each for each in whole)


@pytest.mark.parametrize("by_fault", [True, False], ids=["the fault's worker", "a later one"])
def test_given_one_that_a_worker_ahead_of_time_takes_over_then_its_second_run_is_that_faults_doing(
    by_fault: bool, tmp_path: Path
) -> None:
    rows = judged(tmp_path, *with_b(*ahead(by_fault=by_fault)), demanded="effectively_once")
    red, green = ("clock_ahead", "not_struck") if by_fault else ("not_struck", "clock_ahead")
    assert (rows[red].verdict, rows[red].outcome) == (Verdict.VIOLATED, Outcome.DUPLICATED)
    assert rows[green].verdict is Verdict.HELD
    assert rows["clock_ahead"].landed == 1


def test_given_what_a_dead_worker_had_then_a_worker_ahead_of_time_only_brings_it_back(tmp_path: Path) -> None:
    dead = event(Kind.WORKER_EXITED, pid=1, exitcode=-9)
    first, *rest = ahead(by_fault=True)
    rows = judged(tmp_path, *with_b(dead, first, *rest), demanded="effectively_once")
    assert rows["not_struck"].outcome is Outcome.DUPLICATED


def test_given_another_task_that_is_taken_over_then_its_row_has_the_fault_and_nothing_is_counted_twice(
    tmp_path: Path,
) -> None:
    events = with_b(*ahead(by_fault=True), task="shop.refund")
    (tmp_path / FOLDER / "events").mkdir(parents=True)
    lines = b"".join(encode(each) + b"\n" for each in story(*events))
    (tmp_path / FOLDER / "events/1-1.jsonl").write_bytes(lines)
    both = subject(task(name="shop.charge"), task(name="shop.refund"))
    rows = {(row.scenario, row.task): row for row in judge(both, SCRIPT, "effectively_once", tmp_path)}
    assert rows["clock_ahead", "shop.refund"].outcome is Outcome.DUPLICATED
    assert rows["clock_ahead", "shop.refund"].landed == 1
    assert rows["fresh_tasks", "*"].landed == 1


def test_given_a_broker_that_came_back_empty_then_what_it_had_is_that_faults_doing_and_nothing_later(
    tmp_path: Path,
) -> None:
    emptied = [event(kind, "a", pid=1, fault="broker emptied") for kind in (Kind.FAULT_INJECTED, Kind.FAULT_LANDED)]
    before = (published(), received(), *started(), published("b"), published("done"), received("done"))
    retried = (
        published("r"),
        received("r"),
        *started("r", pid=13),
        retry("r"),
        *ended("r", pid=13, raised="ConnectionError", state="RETRY"),
        acked("r"),
    )
    whole = (*before, *attempt("done", pid=12), acked("done"), *retried, *emptied, *ended(), acked())
    rows = judged(tmp_path / "before", *whole, *FRESH, *ENDS)
    assert rows["broker_emptied"].verdict is Verdict.VIOLATED
    assert rows["broker_emptied"].judgements[0].figures["lost"] == 2, "one that waited, and one whose retry did"
    assert "appendonly" in rows["broker_emptied"].remedy
    assert {rows[name].verdict for name in ("not_struck", "messages_reach_workers")} == {Verdict.HELD}
    later = judged(tmp_path / "later", *whole, published("c"), *FRESH, *ENDS)
    assert later["messages_reach_workers"].verdict is Verdict.VIOLATED


def test_what_is_asked_of_the_workers_is_a_claim_of_its_own_with_a_promise_in_words(tmp_path: Path) -> None:
    rows = judged(tmp_path, published("b"), *RECOVERED)
    assert rows["messages_reach_workers"].claim == "messages reach workers"
    assert all(rows[name].claim and rows[name].promise for name in ("messages_reach_workers", "fresh_tasks"))


def held_to(folder: Path, *events: At | Event, **terms: Any) -> dict[str, Result]:
    (folder / FOLDER / "events").mkdir(parents=True)
    (folder / FOLDER / "events/1-1.jsonl").write_bytes(b"".join(encode(each) + b"\n" for each in story(*events)))
    shop = subject(task(name="shop.charge", contract=Terms(**terms), contract_at=dict.fromkeys(terms, "shop.py:3")))
    return {row.scenario: row for row in judge(shop, SCRIPT, "at_least_once", folder)}


def test_given_a_contract_of_the_task_then_its_rows_are_judged_by_that(tmp_path: Path) -> None:
    done_twice = (published(), received(), *attempt(), *struck(), *AGAIN, *FRESH, *ENDS)
    rows = held_to(tmp_path / "once", *done_twice, delivery="at_most_once")
    assert rows["sigkill_child"].verdict is Verdict.VIOLATED
    assert (rows["sigkill_child"].claim, rows["sigkill_child"].place) == ("contract delivery=at_most_once", "shop.py:3")
    assert held_to(tmp_path / "least", *done_twice, delivery="at_least_once")["sigkill_child"].verdict is Verdict.HELD


@pytest.mark.parametrize(
    ("terms", "row", "verdict"),
    [
        ({"attempts": 2}, "attempts_of_contract", Verdict.HELD),
        ({"attempts": 1, "delivery": "at_most_once"}, "attempts_of_contract", Verdict.VIOLATED),
        ({"recovery_s": 6.0}, "recovered_in_time", Verdict.HELD),
        ({"recovery_s": 4.0}, "recovered_in_time", Verdict.UNKNOWN),  # a pool may look 5 s later in production
        ({"recovery_s": 0.001}, "recovered_in_time", Verdict.UNKNOWN),  # a loaded run's own waiting breaks nothing
    ],
)
def test_given_bounds_in_the_contract_then_what_was_struck_is_held_to_them(
    tmp_path: Path, terms: dict[str, Any], row: str, verdict: Verdict
) -> None:
    rows = held_to(tmp_path, *RECOVERED, **terms)
    assert rows[row].verdict is verdict, rows[row].reason
    assert rows[row].claim.startswith(f"contract {next(iter(terms))}=")
