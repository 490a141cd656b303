"""`assay blame`: the smallest change of settings that makes red rows hold, found by running them."""

import json
import subprocess
from pathlib import Path
from typing import Any

import celery
import pytest
from leftovers import assay

APP = """from celery import Celery
app = Celery("shop", broker="redis://localhost:6379/0")
app.conf.update(
    {settings},
)
@app.task(name="shop.charge")
def charge(): pass
"""
LOST = ("--scenario", "child_killed_middle", "--scenario", "cold_shutdown")


def run(folder: Path, settings: str, *chosen: str, delivery: str = "at_least_once") -> int:
    (folder / "shop.py").write_text(APP.format(settings=settings))
    (folder / "assay.toml").write_text(f'app = "shop:app"\ndelivery = "{delivery}"\n')
    status, _, err = assay("run", *chosen, "--out", "run", cwd=folder, tmp=folder)
    assert status in (0, 1), err
    return status


def blame(folder: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """(exit code, blame.json, what was told)"""
    out = folder / "blame.json"
    status, said, err = assay("blame", "run", *arguments, "--json", str(out), cwd=folder, tmp=folder)
    assert status in (0, 1), f"exit {status}\n{said}\n{err}"
    return status, json.loads(out.read_text()), said


def test_given_a_demand_that_no_setting_meets_then_the_two_that_do_are_found_and_the_patch_is_right(
    tmp_path: Path,
) -> None:
    assert run(tmp_path, "task_time_limit=60", *LOST) == 1
    status, found, said = blame(tmp_path)
    (group,) = found["groups"]
    assert status == 0
    # reject_on_worker_lost does for these rows, and lets a task that kills its worker loop: from 5.7 on it need not
    bounded = celery.VERSION >= (5, 7)
    wanted = "task_retry_on_worker_lost" if bounded else "task_reject_on_worker_lost"
    assert [flip["key"] for flip in group["mends"]] == ["task_acks_late", wanted]
    assert ("poison" in group["breaks"]) == (not bounded)
    assert group["others"] == ["acks_late.cold_shutdown shop.charge"]
    assert "with task_acks_late=True: still lost" in said
    assert f"with {wanted}=True as well: recovered" in said
    subprocess.run(["patch", "-p1", "-s"], cwd=tmp_path, input=found["patch"], text=True, check=True)
    status, _, _ = assay("run", *LOST, "--out", "mended", cwd=tmp_path, tmp=tmp_path)
    assert status == 0


def test_given_one_row_then_one_change_may_do(tmp_path: Path) -> None:
    assert run(tmp_path, "task_reject_on_worker_lost=True", *LOST[:2], delivery="inferred") == 1
    _, found, _ = blame(tmp_path, "--scenario", "acks_late.child_killed_middle")
    wanted = "task_retry_on_worker_lost" if celery.VERSION >= (5, 7) else "task_acks_late"
    assert [flip["key"] for flip in found["groups"][0]["mends"]] == [wanted]


@pytest.mark.skipif(celery.VERSION < (5, 5), reason="before Celery 5.5 such a task is not run again")
def test_given_a_limit_that_runs_again_without_end_then_the_flag_that_does_it_is_blamed(tmp_path: Path) -> None:
    settings = "task_acks_late=True, task_time_limit=60, task_acks_on_failure_or_timeout=False"
    assert run(tmp_path, settings, "--scenario", "too_slow_every_time", delivery="inferred") == 1
    _, found, _ = blame(tmp_path)
    assert [flip["key"] for flip in found["groups"][0]["mends"]] == ["task_acks_on_failure_or_timeout"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--scenario", "acks_late.child_killed_middle"), "the run is not red"),
        ((), "the run is not red"),
    ],
)
def test_given_a_run_that_is_not_red_then_it_is_refused(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    assert run(tmp_path, "task_time_limit=60", "--scenario", "consumed", delivery="inferred") == 0
    status, _, err = assay("blame", "run", *arguments, cwd=tmp_path, tmp=tmp_path)
    assert status == 2
    assert said in err
