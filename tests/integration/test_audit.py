"""`assay audit`: what it says of real projects, with which exit code."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import celery
import pytest
from leftovers import assay

ROOT = Path(__file__).parents[2]
NOTE = ROOT / "examples" / "note"


def audit(tmp: Path, *arguments: str, cwd: Path) -> tuple[int, dict[str, Any], str]:
    """(exit code, audit.json, what was told)"""
    out = tmp / "audit.json"
    status, said, err = assay("audit", *arguments, "--json", str(out), cwd=cwd, tmp=tmp)
    assert status in (0, 1), f"exit {status}\n{said}\n{err}"
    found: dict[str, Any] = json.loads(out.read_text())
    assert found["exit_code"] == status
    return status, found, said


def states(found: dict[str, Any]) -> dict[str, str]:
    return {entry["key"]: entry["state"] for entry in found["entries"]}


def rules(found: dict[str, Any]) -> set[str]:
    return {each["rule"] for each in found["findings"] if not each["accepted"]}


def test_given_the_notes_configuration_then_what_cannot_hold_is_named_with_its_line(tmp_path: Path) -> None:
    written = ("--sarif", str(tmp_path / "out.sarif"))
    status, found, said = audit(tmp_path, "--static", "-A", "note:app", *written, cwd=NOTE)
    assert status == 1
    assert {"rejected_too_late", "nobody_consumes", "unread", "memory_is_not_bounded"} <= rules(found)
    named = states(found)
    assert named["task_reject_on_worker_lost"] == "disproved"
    assert named["task_routes"] == "disproved"
    assert (named["task_max_retries"], named["task_default_retry_delay"]) == ("dead", "dead")
    assert named["task_time_limit"] == "not tried"
    assert all(entry["place"].startswith("note.py:") for entry in found["entries"])
    results = json.loads((tmp_path / "out.sarif").read_text())["runs"][0]["results"]
    assert {f"audit/{rule}" for rule in rules(found)} == {each["ruleId"] for each in results}
    assert "set task_acks_late=True" in said


@pytest.mark.skipif(celery.VERSION < (5, 7), reason="before Celery 5.7 no setting bounds redelivery: told in words")
def test_given_the_patch_of_an_audit_then_nothing_is_left_to_mend(tmp_path: Path) -> None:
    project = shutil.copytree(NOTE, tmp_path / "note", ignore=shutil.ignore_patterns("assay-runs", "__pycache__"))
    _, found, said = audit(tmp_path, "--static", "-A", "note:app", cwd=project)
    assert found["patch"].rstrip() in said, "as it can be copied"
    assert found["by_hand"] == []
    subprocess.run(["patch", "-p1", "-s"], cwd=project, input=found["patch"], text=True, check=True)
    status, after, _ = audit(tmp_path, "--static", "-A", "note:app", cwd=project)
    assert (status, after["patch"]) == (0, "")


def test_given_a_pool_that_ignores_them_then_limits_and_recycling_are_dead(tmp_path: Path) -> None:
    _, found, _ = audit(tmp_path, "--static", "-A", "note:app", "--pool", "solo", cwd=NOTE)
    named = states(found)
    ignored = ("task_time_limit", "worker_max_tasks_per_child", "worker_pool_restarts", "task_reject_on_worker_lost")
    assert {named[key] for key in ignored} == {"dead"}


def test_given_autotest_then_nothing_is_broken_or_dead_and_strict_counts_its_risks(tmp_path: Path) -> None:
    server = ROOT / "server"
    status, found, _ = audit(tmp_path, "--static", cwd=server)
    assert [each for each in found["findings"] if each["kind"] != "risk"] == []
    assert status == 0
    assert audit(tmp_path, "--static", "--strict", cwd=server)[0] == 1


def test_given_scenarios_then_what_they_broke_is_disproved_and_what_they_saw_hold_is_proved(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "from celery import Celery\n"
        'app = Celery("shop", broker="redis://localhost:6379/0")\n'
        "app.conf.update(task_acks_late=True, task_time_limit=60, task_soft_time_limit=50)\n"
        '@app.task(name="shop.charge")\n'
        "def charge(): pass\n"
    )
    chosen = ("--suite", "acks_late", "--suite", "time_limits")
    status, found, said = audit(tmp_path, "-A", "shop:app", *chosen, "--out", "runs/one", cwd=tmp_path)
    named = states(found)
    assert status == 1
    assert named["task_acks_late"] == "disproved", "a killed child loses its task"
    assert (named["task_time_limit"], named["task_soft_time_limit"]) == ("proved", "proved")
    assert "a scenario broke a promise; exit code 1" in said
    kept = json.loads((tmp_path / "runs" / "one" / "audit.json").read_text())
    assert kept == found


OLD_NAMES = """from celery import Celery
app = Celery("shop", set_as_current=False)
class Config:
    BROKER_URL = "redis://localhost:6379/0"
    CELERY_ACKS_LATE = True{beside}
    CELERY_ROUTES = {{"shop.charge": {{"queue": "own"}}}}{beside}
app.config_from_object(Config)
@app.task(name="shop.charge", shared=False)
def charge(): pass
"""


@pytest.mark.parametrize("beside", ["", "; seen = 1"])
def test_given_old_names_then_what_is_to_be_written_is_what_celery_takes_beside_them(
    tmp_path: Path, beside: str
) -> None:
    (tmp_path / "shop.py").write_text(OLD_NAMES.format(beside=beside))
    _, found, said = audit(tmp_path, "--static", "-A", "shop:app", cwd=tmp_path)
    assert "set CELERY_REJECT_ON_WORKER_LOST=True" in said
    assert "declare it in CELERY_QUEUES" in said
    assert bool(found["patch"]) != bool(beside), "what has no line of its own is changed by hand"
    assert bool(found["by_hand"]) == bool(beside)
    subprocess.run(["patch", "-p1", "-s"], cwd=tmp_path, input=found["patch"], text=True, check=True)
    by_hand = "".join(f"    {each['setting']} = {each['value']}\n" for each in found["by_hand"])
    source = (tmp_path / "shop.py").read_text().replace("class Config:\n", f"class Config:\n{by_hand}")
    spoken_to: dict[str, Any] = {}
    exec(source, spoken_to)
    conf = spoken_to["app"].conf
    assert conf.task_reject_on_worker_lost, "or ImproperlyConfigured: Cannot mix new setting names with old"
    assert set(conf.task_queues) == {"celery", "own"}


@pytest.mark.parametrize("setting", ["task_max_retries", "*"])
def test_given_a_finding_that_the_team_accepts_then_it_is_shown_and_does_not_count(
    tmp_path: Path, setting: str
) -> None:
    (tmp_path / "shop.py").write_text(
        "from celery import Celery\n"
        'app = Celery("shop", broker="redis://localhost:6379/0")\n'
        "app.conf.update(task_max_retries=3)\n"
        '@app.task(name="shop.charge")\n'
        "def charge(): pass\n"
    )
    table = f'app = "shop:app"\n[[known]]\nrule = "unread"\nsetting = "{setting}"\nreason = "ours"\nupstream = "docs"\n'
    (tmp_path / "assay.toml").write_text(table)
    status, found, said = audit(tmp_path, "--static", cwd=tmp_path)
    assert status == 0
    assert [each["accepted"] for each in found["findings"] if each["rule"] == "unread"] == ["ours (docs)"]
    assert "Accepted (1)" in said
    (tmp_path / "assay.toml").write_text(table.replace(f'"{setting}"', '"task_other"'))
    assert audit(tmp_path, "--static", cwd=tmp_path)[0] == 1


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('rule = "unraed"\nreason = "r"\nupstream = "u"', "no rule is named unraed; did you mean unread?"),
        ('reason = "r"\nupstream = "u"', "say either which scenario or which rule"),
        ('rule = "unread"\nreason = " "\nupstream = "u"', "reason and upstream must say something"),
    ],
)
def test_given_an_entry_that_cannot_be_used_then_it_is_refused(tmp_path: Path, entry: str, said: str) -> None:
    (tmp_path / "assay.toml").write_text(f'app = "shop:app"\n[[known]]\n{entry}\n')
    status, _, err = assay("audit", "--static", cwd=tmp_path, tmp=tmp_path)
    assert status == 2
    assert said in " ".join(err.split())
