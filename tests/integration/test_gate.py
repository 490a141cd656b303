"""`assay gate` on a small app: green, then red by one flipped setting, with what a CI server is given of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from leftovers import assay

APP = """\
from pathlib import Path
from celery import Celery
with Path(__file__).with_name("imports").open("a") as file:
    file.write("imported\\n")
app = Celery("shop", broker="redis://localhost:6379/0")
app.conf.task_acks_late = True
app.conf.task_reject_on_worker_lost = True
app.conf.task_time_limit = 60
app.conf.task_soft_time_limit = 50
@app.task(name="shop.charge", autoretry_for=(ConnectionError,))
def charge(): pass
"""
LINE = 6
CHOSEN = ("--scenario", "acks_late.child_killed_*", "--scenario", "acks_late.main_killed_middle")
WRITTEN = ("report.json", "report.md", "audit.json", "gate.json", "report.sarif", "junit.xml", "ctrf.json")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    project = tmp_path / "repository" / "backend"
    project.mkdir(parents=True)
    (project.parent / ".git").mkdir()
    (project / "shop.py").write_text(APP)
    (project / "assay.toml").write_text('app = "shop:app"\n[gate]\nmost_s = 300\nfewest_landed = 3\n')
    return project


def verdicts(folder: Path) -> dict[str, str]:
    return {part["name"]: part["verdict"] for part in json.loads((folder / "gate.json").read_text())["parts"]}


def results(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "report.sarif").read_text())["runs"][0]["results"]
    return found


def test_a_gate_is_green_then_red_at_the_line_of_the_setting_that_was_flipped(shop: Path, tmp_path: Path) -> None:
    code, said, told = assay("gate", *CHOSEN, "--out", "runs/green", cwd=shop, tmp=tmp_path)
    green = shop / "runs" / "green"
    assert code == 0, f"{said}\n{told}"
    assert {*verdicts(green).values()} == {"held"}
    assert set(verdicts(green)) == {"audit", "suites", "canary", "time", "landed faults"}
    assert [name for name in (*WRITTEN, "codequality.json", "summary.md") if not (green / name).is_file()] == []
    assert (shop / "imports").read_text().splitlines() == ["imported"], "for audit and suites together"
    assert assay("baseline", "runs/green", cwd=shop, tmp=tmp_path)[0] == 0

    (shop / "shop.py").write_text(APP.replace("task_acks_late = True", "task_acks_late = False"))
    step = tmp_path / "step.md"
    step.write_text("an earlier command said this")
    on_github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(step)}
    beside = ("--baseline", "reliability-baseline.json", "--sarif", "out.sarif")
    code, said, told = assay("gate", *CHOSEN, *beside, "--out", "runs/red", cwd=shop, tmp=tmp_path, env=on_github)
    red = shop / "runs" / "red"
    assert code == 1, f"{said}\n{told}"
    assert {name for name, verdict in verdicts(red).items() if verdict == "violated"} >= {"audit", "baseline"}
    assert f"shop.py:{LINE}" in said
    worse = [each for each in results(red) if each["ruleId"].startswith("baseline/")]
    places = [each["locations"][0]["physicalLocation"] for each in worse]
    assert places
    assert {(each["artifactLocation"]["uri"], each["region"]["startLine"]) for each in places} == {
        ("backend/shop.py", LINE)
    }
    assert (shop / "out.sarif").read_text() == (red / "report.sarif").read_text()
    assert f"::error file=backend/shop.py,line={LINE},title=" in said
    summary = step.read_text()
    assert summary.startswith("an earlier command said this\n## ❌ Gate: violated, exit code 1")
    found = json.loads((red / "compare.json").read_text())
    assert found["exit_code"] == 1
    assert [each["name"] for each in found["settings"]] == ["task_acks_late"]


def test_a_baseline_that_cannot_be_used_is_told_before_anything_is_run(shop: Path, tmp_path: Path) -> None:
    (shop / "base.json").write_text('{"assay_baseline": 1')
    for name, said in (("base.json", "is damaged"), ("other.json", "there is no such file or folder")):
        code, _, told = assay("gate", "--baseline", name, "--out", "runs/1", cwd=shop, tmp=tmp_path)
        assert (code, said in told) == (2, True), told
    assert not (shop / "imports").exists()
