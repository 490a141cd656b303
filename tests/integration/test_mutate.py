"""`assay mutate`: what becomes of each flipped setting of small apps, and what is written of it."""

import json
from pathlib import Path
from typing import Any

import celery
import pytest
from leftovers import assay

APP = """from celery import Celery
app = Celery("shop", broker="redis://localhost:6379/0")
app.conf.update(
{settings}
)
@app.task(name="shop.charge"{options})
def charge(): open("ran", "w").close()
"""


def mutate(tmp: Path, settings: str, options: str = "", *arguments: str) -> tuple[int, dict[str, Any], str]:
    """(exit code, {setting: its outcome}, what was told)"""
    lines = "\n".join(f"    {each}," for each in settings.split(", "))
    (tmp / "shop.py").write_text(APP.format(settings=lines, options=options))
    out = tmp / "mutants.json"
    status, said, err = assay(
        "mutate", "-A", "shop:app", "--out", str(tmp / "run"), "--json", str(out), *arguments, cwd=tmp, tmp=tmp
    )
    assert status in (0, 1, 3), f"exit {status}\n{said}\n{err}"
    assert not (tmp / "ran").exists(), "bodies are hollow"
    return status, {each["mutant"]["setting"]: each for each in json.loads(out.read_text())["outcomes"]}, said


def test_given_settings_that_do_what_they_say_then_each_mutant_is_killed_by_the_scenario_that_is_about_it(
    tmp_path: Path,
) -> None:
    settings = "task_acks_late=True, task_reject_on_worker_lost=True, task_time_limit=60, worker_send_task_events=True"
    stryker = tmp_path / "stryker.json"
    status, found, said = mutate(tmp_path, settings, "", "--stryker", str(stryker))
    assert {key: (each["status"], each["killer"]) for key, each in found.items()} == {
        "task_acks_late": ("killed", "acks_late.main_killed_middle"),
        "task_reject_on_worker_lost": ("killed", "acks_late.child_killed_middle"),
        "task_time_limit": ("killed", "time_limits.hard_limit"),
        "worker_send_task_events": ("no coverage", ""),
    }
    assert status == 0
    assert "3 killed of 3 that can be, 1 no coverage" in said
    report = json.loads(stryker.read_text())
    (file,) = report["files"].values()
    assert report["schemaVersion"] == "2"
    assert [(each["location"]["start"]["line"], each["status"]) for each in file["mutants"]] == [
        (4, "Killed"),
        (5, "Killed"),
        (6, "Killed"),
        (7, "NoCoverage"),
    ]


@pytest.mark.skipif(celery.VERSION < (5, 7), reason="task_retry_on_worker_lost came with Celery 5.7")
def test_given_settings_that_do_nothing_then_their_mutants_are_not_killed_and_it_is_said_why(tmp_path: Path) -> None:
    settings = "task_acks_late=True, task_reject_on_worker_lost=True, task_retry_on_worker_lost=True"
    _, found, _ = mutate(tmp_path, settings, ", acks_late=True, autoretry_for=(OSError,), retry_backoff=2")
    assert {found[option]["status"] for option in ("autoretry_for", "retry_backoff", "max_retries")} == {"killed"}
    assert found["task_acks_late"]["status"] == "shadowed", "the task has an option of its own"
    assert found["task_reject_on_worker_lost"]["status"] == "shadowed"
    assert "task_retry_on_worker_lost does the same" in found["task_reject_on_worker_lost"]["said"]


def test_given_a_setting_that_is_a_no_op_then_what_it_promises_is_red_already_and_its_mutant_is_not_killed(
    tmp_path: Path,
) -> None:
    status, found, said = mutate(tmp_path, "task_reject_on_worker_lost=True, task_acks_late=False")
    assert found["task_reject_on_worker_lost"]["status"] == "unknown", "its scenario is red with it and without it"
    assert status == 3
    assert "Red or not judged without any mutant" in said


def test_given_an_app_that_checks_itself_then_what_it_refuses_is_told_and_the_others_are_run(tmp_path: Path) -> None:
    settings = "task_acks_late=True, task_time_limit=60"
    check = "\nassert charge.acks_late, 'tasks are acknowledged late'\n"
    (tmp_path / "checked.py").write_text(APP.format(settings=settings, options="") + check)
    out = tmp_path / "m.json"
    arguments = ("-A", "checked:app", "--out", str(tmp_path / "run"), "--json", str(out))
    status, _, err = assay("mutate", *arguments, cwd=tmp_path, tmp=tmp_path)
    assert status == 0, err
    found = {each["mutant"]["setting"]: each for each in json.loads(out.read_text())["outcomes"]}
    assert {key: each["status"] for key, each in found.items()} == {
        "task_acks_late": "refused",
        "task_time_limit": "killed",
    }
    assert "tasks are acknowledged late" in found["task_acks_late"]["said"]


def test_given_an_app_that_sets_nothing_then_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(APP.format(settings="", options=""))
    status, _, err = assay("mutate", "-A", "shop:app", cwd=tmp_path, tmp=tmp_path)
    assert status == 2
    assert "there is nothing to mutate" in err
