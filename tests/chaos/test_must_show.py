"""Apps as they are found outside, through the real command: what is told of each, and with which exit code."""

from pathlib import Path
from typing import Any

import celery
import pytest
from beds import APPS
from runs import EXAMPLES, QUICK, claims, rows, run, verdicts


def test_given_plain_celery_then_it_holds_since_it_promises_nothing_and_the_loss_is_shown(tmp_path: Path) -> None:
    status, report = run(tmp_path, "plain:app")
    assert status == 0
    assert rows(report)["child_killed_middle", "plain.add"]["outcome"] == "lost"
    assert ("hard_limit", "plain.add") not in rows(report)


def test_given_django_without_results_then_its_tasks_recover_and_no_result_is_asked_for(tmp_path: Path) -> None:
    site = APPS / "site"
    before = sorted(site.rglob("*"))
    noted = tmp_path / "checks"
    status, report = run(tmp_path, "shop", cwd=site, PYTHONDONTWRITEBYTECODE="1", SHOP_CHECKS=str(noted))
    assert status == 0
    assert len(noted.read_text().splitlines()) == 1, "system checks run where the app is loaded, in no worker"
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


def test_given_a_base_class_that_wants_arguments_then_it_is_left_out_where_live_has_none(tmp_path: Path) -> None:
    quick = ("child_killed_middle", "main_killed_middle")
    status, without = run(tmp_path, "wants_event:app", scenarios=quick)
    left_out = "wants_event.OfEvent.__call__ is left out for wants_event.refund"
    assert status == 0
    assert rows(without)["child_killed_middle", "wants_event.refund"]["outcome"] == "recovered"
    assert [said for said in without["redirected"] if left_out in said and "ValueError: an event is wanted" in said]
    (tmp_path / "assay.toml").write_text('[live."wants_event.refund"]\nkwargs = { event = 7 }\n')
    given = ("--config", str(tmp_path / "assay.toml"), "--workdir", str(APPS))
    status, report = run(tmp_path, "wants_event:app", *given, scenarios=quick)
    assert status == 0
    assert rows(report)["child_killed_middle", "wants_event.refund"]["outcome"] == "recovered"
    assert not [said for said in report["redirected"] if "left out" in said]


def test_given_a_hook_that_lets_no_body_begin_then_nobody_waits_for_one(tmp_path: Path) -> None:
    _, report = run(tmp_path, "wants_event:shut", scenarios=("child_killed_middle",), ends=(3,))
    (row,) = report["results"]
    assert "failed before its body began" in row["reason"]
    assert row["duration_s"] < 15, "nobody waits for a point that will not be reached"


def test_given_old_names_and_priority_steps_then_every_list_of_a_queue_is_read(tmp_path: Path) -> None:
    status, report = run(tmp_path, "old_names:app", "--each-task", scenarios=(*QUICK, "warm_shutdown"))
    found = rows(report)
    assert status == 0, [row["reason"] for row in found.values() if row["verdict"] != "held"]
    for task in ("old_names.urgent", "old_names.usual"):
        assert found["child_killed_middle", task]["outcome"] == "recovered"
        assert found["hard_limit", task]["outcome"] == "failed"
        assert found["warm_shutdown", task]["outcome"] in ("ok", "recovered")


def test_given_old_names_then_the_remedy_is_one_that_celery_takes_beside_them(tmp_path: Path) -> None:
    _, report = run(tmp_path, "old_names:half", scenarios=("child_killed_middle",), ends=(1,))
    assert {row["remedy"] for row in report["results"]} == {"set CELERY_REJECT_ON_WORKER_LOST=True"}


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
    wanted = ("*_in_this_pool", "pool_restart", "consumed")
    status, report = run(tmp_path, "twin:app", "--pool", pool, "--task", "twin.work", scenarios=wanted)
    assert status == 1
    broken = claims(report)
    assert {
        "worker_max_memory_per_child",
        "worker_max_tasks_per_child",
        "worker_pool_restarts",
        "task_time_limit",
        "task_soft_time_limit",
    } <= set(broken)
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


PLANTED = "early,lost_is_no_retry"


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The report on the embedded broker with warm workers: some rows red, others green."""
    tmp = tmp_path_factory.mktemp("usual")
    return run(tmp, "twin:app", "--task", "work", scenarios=SAME, ASSAY_TEST_FLIP=PLANTED)[1]


@pytest.mark.parametrize("changed", [("--broker", "redis"), ("--cold",)], ids=["redis", "cold"])
def test_given_another_broker_or_cold_workers_then_the_verdicts_are_the_same(
    tmp_path: Path, usual: dict[str, Any], changed: tuple[str, ...]
) -> None:
    other = run(tmp_path, "twin:app", "--task", "work", *changed, scenarios=SAME, ASSAY_TEST_FLIP=PLANTED)[1]
    assert verdicts(other) == verdicts(usual)
    assert {"held", "violated"} <= {verdict for verdict, _ in verdicts(usual).values()}
    assert len(verdicts(usual)) >= len(SAME) - 1


def test_given_the_ten_lines_of_the_releases_then_a_black_hole_and_a_poison_task_are_what_celery_gets_wrong(
    tmp_path: Path,
) -> None:
    """docs/celery-releases.md shows all suites over it, on each release."""
    names = ("child_killed_middle", "fails_then_succeeds", "hard_limit", "poison_killed", "black_hole_idle")
    found = rows(run(tmp_path, "bare:app", cwd=EXAMPLES / "bare", scenarios=names)[1])
    red = {name for (name, _), row in found.items() if row["verdict"] == "violated"}
    assert {name for name, _ in found} == {*names}
    assert red == {"poison_killed", "black_hole_idle"}
