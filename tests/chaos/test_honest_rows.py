"""A row says what was proved, and no more: small apps in which something else than the fault goes wrong."""

import json
from pathlib import Path
from typing import Any

import celery
import msgspec
import pytest

from assay import run as runs
from assay.errors import UsageError
from assay.event import Kind
from assay.facts import keep, read
from assay.history import History
from assay.progress import Silent
from assay.report import Report
from assay.run import check_again, run
from assay.selection import Selection
from assay.settings import Settings
from assay.verdict import Outcome, Result, Verdict

HEAD = """
import os
from celery import Celery
app = Celery("small", broker="redis://localhost:1/0", backend="redis://localhost:1/1")
LATE = dict(task_acks_late=True, task_reject_on_worker_lost=True)
"""


def ran(tmp: Path, app: str, *scenarios: str, **settings: Any) -> Report:
    (tmp / "small.py").write_text(HEAD + app)
    table = {"app": "small:app", "workdir": str(tmp), "out": str(tmp / "run"), "jobs": 4, **settings}
    wanted = Selection(scenarios=scenarios)
    return run(msgspec.convert(table, Settings, dec_hook=lambda _, raw: Path(raw)), wanted, Silent())


def row(report: Report, scenario: str) -> Result:
    (found,) = [each for each in report.results if f"{each.suite}.{each.scenario}" == scenario]
    return found


def test_given_a_route_to_an_undeclared_queue_then_every_row_names_it(tmp_path: Path) -> None:
    app = """
app.conf.update(LATE, task_create_missing_queues=False, task_routes={"small.work": {"queue": "nowhere"}})
@app.task
def work(): pass
"""
    report = ran(tmp_path, app, "routing.consumed", "acks_late.child_killed_middle")
    assert {each.verdict for each in report.results} == {Verdict.VIOLATED}
    assert all("nowhere" in each.reason and "QueueNotFound" in each.reason for each in report.results)
    assert row(report, "routing.consumed").claim.startswith("task_routes")


def test_given_a_password_beside_the_address_then_the_runs_own_servers_are_not_asked_for_it(tmp_path: Path) -> None:
    app = """
app.conf.update(LATE, broker_user="shop", broker_password="abc", broker_port=7, broker_vhost="9")
app.conf.update(redis_username="shop", redis_password="abc", redis_host="nobody.invalid", redis_port=7)
@app.task
def work(): pass
"""
    found = row(ran(tmp_path, app, "acks_late.main_killed_middle", canary=False), "acks_late.main_killed_middle")
    assert (found.verdict, found.outcome) == (Verdict.HELD, Outcome.RECOVERED), found.reason


def test_given_a_soft_limit_above_the_hard_one_then_it_is_told_that_nothing_can_be_published(tmp_path: Path) -> None:
    app = """
app.conf.update(LATE)
@app.task(soft_time_limit=600, time_limit=300)
def work(): pass
"""
    report = ran(tmp_path, app, "time_limits.hard_limit")
    assert row(report, "time_limits.hard_limit").verdict is Verdict.VIOLATED
    if celery.VERSION >= (5, 5):
        assert "soft_time_limit must be less than" in row(report, "time_limits.hard_limit").reason
    else:  # it is published, and the hard limit is only looked at after the soft one
        assert "task_time_limit is 300 s" in row(report, "time_limits.hard_limit").reason


LIVE = """
app.conf.update(LATE)
@app.task
def good(): pass
@app.task
def bad(): raise ValueError("always")
@app.task
def uncalled(): pass
"""


def test_given_a_body_that_ignores_everything_then_its_end_is_known_before_its_workers(tmp_path: Path) -> None:
    """Or a slow machine were taken for a limit that comes late."""
    app = """
app.conf.update(LATE, task_time_limit=300)
@app.task
def work(): pass
"""
    assert row(ran(tmp_path, app, "time_limits.stubborn_body"), "time_limits.stubborn_body").verdict is Verdict.HELD
    (folder,) = (tmp_path / "run" / "cases").iterdir()
    events = {event.kind: event for event in History(folder)}
    assert events[Kind.CHILD_KILLED].detail["child"] == events[Kind.BODY_ENTERED].pid
    assert events[Kind.HARD_LIMIT].at_ns < events[Kind.CHILD_KILLED].at_ns < events[Kind.SETTLED].at_ns


def test_given_tasks_that_acknowledge_alike_when_a_revoked_one_meets_a_restart_then_their_fate_is_one(
    tmp_path: Path,
) -> None:
    """A pool that looks for its children more often, since retries are scaled, came to discard it before it stopped."""
    app = """
@app.task
def mail(): pass
@app.task(bind=True, autoretry_for=(ConnectionError,), max_retries=2, default_retry_delay=5)
def sync(self): pass
"""
    found = ran(tmp_path, app, "results.revoked_then_all_restarted").results
    assert [(each.task, each.outcome) for each in found] == [
        ("small.mail", Outcome.RECOVERED),
        ("small.sync", Outcome.RECOVERED),
    ]
    for folder in (tmp_path / "run" / "cases").iterdir():
        kinds = [event.kind for event in History(folder)]
        assert kinds.index(Kind.CONNECTION_CLOSED) < kinds.index(Kind.RELEASED), "it has given back what waited"


@pytest.mark.skipif(celery.VERSION < (5, 7), reason="before Celery 5.7 main sends no retry")
def test_given_a_main_that_takes_long_to_retry_a_lost_task_then_it_is_not_called_lost_meanwhile(tmp_path: Path) -> None:
    app = """
from celery.signals import before_task_publish
@before_task_publish.connect
def slow(headers=None, **_):
    import time
    if headers["retries"]:
        time.sleep(0.5)
app.conf.update(task_retry_on_worker_lost=True)
@app.task(max_retries=2)
def work(): pass
"""
    report = ran(tmp_path, app, "acks_late.child_killed_middle", "acks_late.poison_exits", delivery="at_least_once")
    assert row(report, "acks_late.child_killed_middle").outcome is Outcome.RECOVERED
    assert row(report, "acks_late.poison_exits").reason.startswith("3 attempts"), "all that its max_retries allow"


def test_given_real_bodies_that_differ_then_each_stands_for_itself(tmp_path: Path) -> None:
    calls = {"small.good": {}, "small.bad": {}}
    report = ran(tmp_path, LIVE, "acks_late.live_call", bodies="live", live=calls)
    assert {each.task: each.verdict for each in report.results} == {
        "small.good": Verdict.HELD,
        "small.bad": Verdict.VIOLATED,
    }
    assert any("small.uncalled" in note for note in report.redirected)


def test_given_a_live_call_of_no_task_then_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no task small\.goood; did you mean small\.good\?"):
        ran(tmp_path, LIVE, "acks_late.live_call", bodies="live", live={"small.goood": {}})


def test_given_work_that_its_redelivery_cannot_do_then_at_least_once_is_broken(tmp_path: Path) -> None:
    app = """
import time
app.conf.update(LATE)
@app.task
def locked(effect):
    os.open("lock", os.O_CREAT | os.O_EXCL)
    with open(effect, "a") as file:
        file.write("begun")
    time.sleep(30)
    os.unlink("lock")
"""
    call = {"args": ["{effect}"]}
    report = ran(tmp_path, app, "acks_late.live_child_killed", bodies="live", live={"small.locked": {"slow": call}})
    judged = row(report, "acks_late.live_child_killed")
    assert (judged.verdict, judged.outcome) == (Verdict.VIOLATED, Outcome.FAILED)


def test_given_a_body_that_ends_its_process_then_the_other_rows_are_judged_all_the_same(tmp_path: Path) -> None:
    app = """
app.conf.update(LATE, task_acks_late=False, task_reject_on_worker_lost=False)
@app.task
def leaves(effect):
    with open(effect, "a") as file:
        file.write("begun")
    os._exit(1)
@app.task
def good(): pass
"""
    live = {"small.leaves": {"slow": {"args": ["{effect}"]}}, "small.good": {}}
    report = ran(tmp_path, app, "acks_late.live_call", "acks_late.live_child_killed", bodies="live", live=live)
    found = {(each.scenario, each.task): each for each in report.results}
    assert found["live_call", "small.good"].verdict is Verdict.HELD
    # the harness was faster, or the process was gone already and no fault could land: never more than was seen
    killed = found["live_child_killed", "small.leaves"]
    assert (killed.verdict, killed.landed) in ((Verdict.HELD, 1), (Verdict.UNKNOWN, 0))


def test_given_a_scenario_in_which_the_harness_breaks_then_that_row_is_unknown_and_tells_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise ZeroDivisionError("of our own")

    monkeypatch.setattr(runs.Stage, "settle", breaks)
    app = """
@app.task
def work(): pass
"""
    report = ran(tmp_path, app, "routing.unknown_task")
    judged = row(report, "routing.unknown_task")
    assert judged.verdict is Verdict.UNKNOWN
    assert "ZeroDivisionError" in judged.reason
    assert "of our own" in (tmp_path / "run" / judged.folder / runs.BROKEN).read_text()


def test_given_a_run_that_was_broken_off_when_it_is_judged_again_then_what_was_not_run_is_unknown(
    tmp_path: Path,
) -> None:
    app = """
app.conf.update(LATE)
@app.task
def work(): pass
"""
    whole = ran(tmp_path, app, "routing.unknown_task", "acks_late.child_killed_middle")
    assert whole.verdict is Verdict.HELD
    facts = read(tmp_path / "run")
    facts.duration_s = 0.0
    keep(facts, tmp_path / "run")
    (tmp_path / "run" / row(whole, "routing.unknown_task").folder / "case.json").unlink()
    again = check_again(tmp_path / "run")
    assert again.verdict is Verdict.UNKNOWN
    assert "broken off" in row(again, "routing.unknown_task").reason


def test_given_backoff_with_jitter_then_the_fault_lands_while_the_retry_waits(tmp_path: Path) -> None:
    app = """
app.conf.update(LATE)
@app.task(autoretry_for=(OSError,), retry_backoff=True)
def work(): pass
"""
    report = ran(tmp_path, app, "retries.worker_stopped_while_retry_waits", "retries.worker_killed_while_retry_waits")
    assert {each.verdict for each in report.results} == {Verdict.HELD}
    for each in report.results:
        events = [
            json.loads(line)
            for path in (tmp_path / "run" / each.folder / "events").iterdir()
            for line in path.read_bytes().partition(b"\0")[0].splitlines()
        ]
        landed = max(event["at_ns"] for event in events if event["kind"] == "fault_landed")
        starts = sorted(event["at_ns"] for event in events if event["kind"] == "attempt_started")
        assert starts[0] < landed < starts[1]


def test_given_a_task_that_promises_no_redelivery_then_nothing_is_said_of_where_it_goes(tmp_path: Path) -> None:
    app = """
app.conf.update(task_routes={"small.work": {"queue": "mail"}})
@app.task
def work(): pass
"""
    with pytest.raises(UsageError, match="no selected scenario applies"):
        ran(tmp_path, app, "routing.redelivery_stays")


def test_given_a_restart_that_no_worker_hears_then_recycling_is_not_taken_for_it(tmp_path: Path) -> None:
    app = """
app.conf.update(worker_pool_restarts=True, worker_enable_remote_control=False, worker_max_tasks_per_child=2)
@app.task
def work(): pass
"""
    report = ran(tmp_path, app, "recycling.pool_restart")
    judged = row(report, "recycling.pool_restart")
    assert judged.verdict is Verdict.VIOLATED
    assert "no worker answered" in judged.reason


def test_given_early_and_late_acknowledgement_then_the_row_tells_what_a_short_grace_period_does(tmp_path: Path) -> None:
    app = """
@app.task(time_limit=600)
def early(): pass
@app.task(acks_late=True, time_limit=600)
def late(): pass
@app.task(acks_late=True)
def unbounded(): pass
"""
    report = ran(tmp_path, app, "shutdown.grace_period")
    told = {each.task: each.reason for each in report.results}
    assert {each.verdict for each in report.results} == {Verdict.HELD}, told
    assert "needs 600 s and a few to leave from SIGTERM to SIGKILL; with less 2 of 2 were lost" in told["small.early"]
    assert "needs 600 s and a few to leave from SIGTERM to SIGKILL; with less 2 of 2 ran again" in told["small.late"]
    assert "needs its longest run, which no limit bounds" in told["small.unbounded"]


def test_given_a_real_body_that_is_late_to_begin_then_its_limits_are_scaled_less_until_it_works(tmp_path: Path) -> None:
    app = """
import time
app.conf.update(LATE, task_soft_time_limit=570, task_time_limit=600)
@app.task
def late(effect=""):
    time.sleep(4)
    open(effect, "w").write("began")
    time.sleep(60)
@app.task
def mute(effect=""):
    time.sleep(60)
@app.task
def brief(effect=""): pass
"""
    live = {f"small.{name}": {"slow": {"args": ["{effect}"]}} for name in ("late", "mute", "brief")}
    report = ran(tmp_path, app, "time_limits.live_limit", "acks_late.live_child_killed", bodies="live", live=live)
    rows = {(each.scenario, each.task): each for each in report.results}
    late = rows["live_limit", "small.late"]
    assert (late.verdict, late.outcome, late.landed) == (Verdict.HELD, Outcome.FAILED, 1), late.reason
    for task, why in (("mute", "its time limit came first, after 12 s of this run"), ("brief", "ended first, as SUCC")):
        row = rows["live_limit", f"small.{task}"]
        assert row.verdict is Verdict.UNKNOWN
        assert f"the slow call of small.{task} wrote nothing to its {{effect}}" in row.reason
        assert why in row.reason
    assert "ended first, as SUCCESS" in rows["live_child_killed", "small.brief"].reason
