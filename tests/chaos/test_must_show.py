"""Apps as they are found outside, through the real command: what is told of each, and with which exit code."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import celery
import pytest
from leftovers import assay

from assay.report import CANARY_LOST
from assay.scenario import SUITES

APPS = Path(__file__).with_name("apps")
EXAMPLES = Path(__file__).parents[2] / "examples"
QUICK = ("child_killed_middle", "main_killed_middle", "hard_limit", "fails_then_succeeds", "consumed", "unknown_task")
WHOLE_S = 600.0  # for a run that ends by itself, on a machine that does other things too
Rows = dict[tuple[str, str], dict[str, Any]]


def run(
    tmp: Path,
    app: str,
    *arguments: str,
    scenarios: tuple[str, ...] = QUICK,
    cwd: Path = APPS,
    ends: tuple[int, ...] = (0, 1),
    **env: str,
) -> tuple[int, dict[str, Any]]:
    """(exit code, report.json) of a run that must end with one of these exit codes: with a verdict."""
    wanted = [word for name in scenarios for word in ("--scenario", name)]
    out = tmp / f"run-{time.monotonic_ns()}"
    status, said, err = assay(
        *("run", "-A", app, "--out", str(out), "--jobs", "4", *wanted, *arguments),
        cwd=cwd,
        tmp=tmp,
        env=env,
        timeout_s=WHOLE_S,
    )
    assert status in ends, f"exit {status}\n{said}\n{err}"
    report: dict[str, Any] = json.loads((out / "report.json").read_text())
    assert report["exit_code"] == status
    return status, report


def rows(report: dict[str, Any]) -> Rows:
    return {(row["scenario"], row["task"]): row for row in report["results"]}


def verdicts(report: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {" ".join(key): (row["verdict"], row["outcome"]) for key, row in rows(report).items()}


def claims(report: dict[str, Any], verdict: str = "violated") -> dict[str, dict[str, Any]]:
    return {claim["setting"].partition("=")[0]: claim for claim in report["claims"] if claim["verdict"] == verdict}


def test_given_plain_celery_then_it_holds_since_it_promises_nothing_and_the_loss_is_shown(tmp_path: Path) -> None:
    status, report = run(tmp_path, "plain:app")
    assert status == 0
    assert rows(report)["child_killed_middle", "plain.add"]["outcome"] == "lost"
    assert ("hard_limit", "plain.add") not in rows(report)


def test_given_django_without_results_then_its_tasks_recover_and_no_result_is_asked_for(tmp_path: Path) -> None:
    site = APPS / "site"
    before = sorted(site.rglob("*"))
    status, report = run(tmp_path, "shop", cwd=site, PYTHONDONTWRITEBYTECODE="1")
    assert status == 0
    assert rows(report)["child_killed_middle", "orders.tasks.settle_order"]["outcome"] == "recovered"
    assert any("private SQLite cop" in said for said in report["redirected"])
    assert sorted(site.rglob("*")) == before, "the project's own folder is left as it was"


def test_given_a_base_class_of_its_own_then_its_retries_and_requests_are_kept(tmp_path: Path) -> None:
    status, report = run(tmp_path, "own_base:app", scenarios=(*QUICK, "gives_up", "spacing"))
    found = rows(report)
    assert status == 0, [row["reason"] for row in found.values() if row["verdict"] != "held"]
    assert found["child_killed_middle", "own_base.charge"]["outcome"] == "recovered"
    assert "5 attempts" in found["gives_up", "own_base.charge"]["promise"]
    assert "up to 2 s, up to 4 s, up to 8 s" in found["spacing", "own_base.charge"]["promise"]


def test_given_a_base_class_that_wants_arguments_then_they_are_asked_for_and_taken_from_live(tmp_path: Path) -> None:
    quick = ("child_killed_middle", "main_killed_middle")
    _, without = run(tmp_path, "wants_event:app", scenarios=quick, ends=(3,))
    for row in without["results"]:
        assert "failed before its body began" in row["reason"]
        assert "give them in [live]" in row["reason"]
        assert row["duration_s"] < 15, "nobody waits for a point that will not be reached"
    (tmp_path / "assay.toml").write_text('[live."wants_event.refund"]\nkwargs = { event = 7 }\n')
    given = ("--config", str(tmp_path / "assay.toml"), "--workdir", str(APPS))
    status, report = run(tmp_path, "wants_event:app", *given, scenarios=quick)
    assert status == 0
    assert rows(report)["child_killed_middle", "wants_event.refund"]["outcome"] == "recovered"


def test_given_old_names_and_priority_steps_then_every_list_of_a_queue_is_read(tmp_path: Path) -> None:
    status, report = run(tmp_path, "old_names:app", "--each-task", scenarios=(*QUICK, "warm_shutdown"))
    found = rows(report)
    assert status == 0, [row["reason"] for row in found.values() if row["verdict"] != "held"]
    for task in ("old_names.urgent", "old_names.usual"):
        assert found["child_killed_middle", task]["outcome"] == "recovered"
        assert found["hard_limit", task]["outcome"] == "failed"
        assert found["warm_shutdown", task]["outcome"] in ("ok", "recovered")


def test_given_200_tasks_in_three_profiles_then_they_are_run_as_five_tasks_are(tmp_path: Path) -> None:
    """How long both take is in benchmarks/profiles.py: a busy machine may slow down either."""
    _, few = run(tmp_path, "many:app", MANY_TASKS="5")
    _, many = run(tmp_path, "many:app", MANY_TASKS="200")
    assert [(row["scenario"], row["task"]) for row in many["results"]] == [
        (row["scenario"], row["task"]) for row in few["results"]
    ]
    assert {name for row in many["results"] for name in row["members"]} == {f"many.task_{n:03d}" for n in range(200)}
    assert len(list((tmp_path).glob("run-*/cases/*/events"))) == 2 * len(few["results"])


@pytest.mark.parametrize("pool", ["solo", "threads"])
def test_given_a_pool_without_processes_then_limits_and_recycling_are_claims_that_do_not_hold(
    tmp_path: Path, pool: str
) -> None:
    wanted = ("limit_in_this_pool", "recycling_in_this_pool", "pool_restart", "consumed")
    status, report = run(tmp_path, "twin:app", "--pool", pool, "--task", "twin.work", scenarios=wanted)
    assert status == 1
    broken = claims(report)
    assert {"task_time_limit", "worker_max_tasks_per_child", "worker_pool_restarts"} <= set(broken)
    judged = [claim for claim in broken.values() if claim["tasks"]]  # others are settings that this release lacks
    assert all("--pool=prefork" in claim["remedy"] for claim in judged)


def test_given_the_note_as_written_then_each_setting_that_does_not_do_what_it_says_is_named(tmp_path: Path) -> None:
    status, report = run(
        tmp_path, "note:app", cwd=EXAMPLES / "note", scenarios=("child_killed_middle", "consumed", "hard_limit")
    )
    broken = claims(report)
    assert status == 1
    assert set(broken) == {"task_default_retry_delay", "task_max_retries", "task_reject_on_worker_lost", "task_routes"}
    assert "task_acks_late=True" in broken["task_reject_on_worker_lost"]["remedy"]
    assert "has no such setting" in broken["task_max_retries"]["observed"]
    assert all(claim["place"].partition(":")[0].endswith("note.py") for claim in broken.values()), broken
    assert set(claims(report, "held")) == {"task_time_limit"}


SERVER = Path(__file__).parents[2] / "server"
PROMISES = (
    "child_killed_middle",
    "main_killed_middle",
    "poison_killed",
    "hard_limit",
    "fails_then_succeeds",
    "consumed",
)


def test_given_autotest_then_it_keeps_its_promises_in_every_suite_for_every_task(tmp_path: Path) -> None:
    status, report = run(tmp_path, "celery_app", cwd=SERVER, scenarios=(), PYTHONDONTWRITEBYTECODE="1")
    broken = [row for row in report["results"] if row["verdict"] != "held"]
    assert [row["reason"] for row in broken if not row["known"]] == []
    assert {row["scenario"] for row in broken} <= {"chord_killed_after_result", "chord_main_killed_after_result"}
    assert (status, report["lost"], report["canary"]) == (0, 0, CANARY_LOST)
    tasks = ("execute_python_script", "execute_dynamic_script_task", "clear_old_records")
    promised = {(name, f"myapp.views.celery_views.{task}") for name in PROMISES for task in tasks}
    assert promised <= set(rows(report))
    assert {row["suite"] for row in report["results"]} == set(SUITES)


def test_given_autotest_with_the_notes_configuration_then_each_claim_that_does_not_hold_is_named(
    tmp_path: Path,
) -> None:
    copy = tmp_path / "server"
    shutil.copytree(SERVER, copy, ignore=shutil.ignore_patterns("*.sqlite3", "__pycache__", "assay-runs"))
    shutil.copy(APPS / "note_in_server.py", copy / "celery_app" / "celery.py")
    status, report = run(tmp_path, "celery_app", cwd=copy, scenarios=PROMISES)
    broken = claims(report)
    assert status == 1
    assert set(broken) == {"task_default_retry_delay", "task_max_retries", "task_reject_on_worker_lost", "task_routes"}
    assert all("celery_app/celery.py" in claim["place"] for claim in broken.values()), broken


SAME = (
    *QUICK,
    "child_killed_exit",
    "main_killed_received",
    "main_killed_before_ack",
    "bystanders",
    "gives_up",
    "worker_stopped_while_retry_waits",
    "warm_shutdown",
    "cold_shutdown",
    "killed_while_recycled",
    "redelivery_stays",
)


if celery.VERSION < (5, 7):  # its worker hangs at SIGTERM in some runs and not in others (docs/celery-findings.md)
    SAME = tuple(name for name in SAME if name != "worker_stopped_while_retry_waits")


@pytest.fixture(scope="module", params=["", "early,lost_is_no_retry"], ids=["as it should be", "planted"])
def usual(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """(flips, the report on the embedded broker with warm workers)"""
    tmp = tmp_path_factory.mktemp("usual")
    return request.param, run(tmp, "twin:app", "--task", "work", scenarios=SAME, ASSAY_TEST_FLIP=request.param)[1]


@pytest.mark.parametrize("changed", [("--broker", "redis"), ("--cold",)], ids=["redis", "cold"])
def test_given_another_broker_or_cold_workers_then_the_verdicts_are_the_same(
    tmp_path: Path, usual: tuple[str, dict[str, Any]], changed: tuple[str, ...]
) -> None:
    flips, report = usual
    other = run(tmp_path, "twin:app", "--task", "work", *changed, scenarios=SAME, ASSAY_TEST_FLIP=flips)[1]
    assert verdicts(other) == verdicts(report)
    assert len(verdicts(report)) >= len(SAME) - 1


def test_given_the_ten_lines_of_the_releases_then_a_black_hole_and_a_poison_task_are_what_celery_gets_wrong(
    tmp_path: Path,
) -> None:
    """docs/celery-releases.md shows all suites over it, on each release."""
    names = ("child_killed_middle", "fails_then_succeeds", "hard_limit", "poison_killed", "black_hole_idle")
    found = rows(run(tmp_path, "bare:app", cwd=EXAMPLES / "bare", scenarios=names)[1])
    red = {name for (name, _), row in found.items() if row["verdict"] == "violated"}
    assert {name for name, _ in found} == {*names}
    assert red == {"poison_killed", "black_hole_idle"}
