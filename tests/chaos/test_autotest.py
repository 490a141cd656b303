"""AutoTest keeps its promises; with the configuration that it was given first it does not."""

import shutil
from pathlib import Path

import msgspec
from beds import APPS
from runs import claims, rows, run

from assay.compare import baseline, compare
from assay.compare.comparison import UNPROVED, WORSE
from assay.report import CANARY_LOST, Report
from assay.scenario import SUITES

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
    kept = baseline.read(SERVER / baseline.NAME)
    if kept[0].environment["celery"] == report["environment"]["celery"]:  # releases differ in what they guarantee
        drifts = compare(kept, msgspec.convert(report, Report)).drifts
        assert [drift for drift in drifts if drift.kind in WORSE | UNPROVED] == []


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
