"""`assay compare`, `baseline` and `trend` over real runs of one app: as it is, once more, with one setting flipped."""

import json
from pathlib import Path

from leftovers import assay

APP = """from celery import Celery
app = Celery("shop", broker="redis://localhost:6379/0")
app.conf.update(
    task_acks_late={late},
    task_reject_on_worker_lost=True,
)
@app.task(name="shop.charge")
def charge(): pass
"""
CHOSEN = ("--scenario", "child_killed_middle", "--scenario", "main_killed_middle")


def run(folder: Path, name: str, *, late: bool) -> None:
    (folder / "shop.py").write_text(APP.format(late=late))
    status, _, err = assay("run", "-A", "shop:app", *CHOSEN, "--out", f"runs/{name}", cwd=folder, tmp=folder)
    assert status in (0, 1), err


def test_given_a_flipped_setting_then_its_line_is_named_and_a_run_once_more_is_no_drift(tmp_path: Path) -> None:
    run(tmp_path, "1", late=True)
    status, said, err = assay("baseline", "runs/1", cwd=tmp_path, tmp=tmp_path)
    assert (status, said) == (0, "reliability-baseline.json: 2 rows of 1 run\n"), err
    run(tmp_path, "2", late=True)
    for base in ("runs/1", "runs/1/report.json", "runs", "reliability-baseline.json", "."):
        status, said, err = assay("compare", base, "runs/2", cwd=tmp_path, tmp=tmp_path)
        assert (status, "2 of 2 rows as before" in said) == (0, True), f"{base}: {said}{err}"

    run(tmp_path, "3", late=False)
    files = ("--json", "compare.json", "--markdown", "compare.md")
    status, said, err = assay("compare", "reliability-baseline.json", "runs/3", *files, cwd=tmp_path, tmp=tmp_path)
    assert status == 1, err
    found = json.loads((tmp_path / "compare.json").read_text())
    assert {(drift["cause"], drift["place"]) for drift in found["drifts"]} == {
        ("task_acks_late: True -> False", "shop.py:4")
    }
    assert "task_acks_late: True -> False  shop.py:4" in said
    assert "shop.charge, SIGKILL child: at-least-once -> lost" in said
    assert "task_acks_late: True -&gt; False" in (tmp_path / "compare.md").read_text().replace("->", "-&gt;")

    status, said, err = assay("trend", "runs", cwd=tmp_path, tmp=tmp_path)
    assert status == 0, err
    assert "at-least-once (2 runs) -> lost" in said
    assert "task_acks_late: True -> False, shop.py:4" in said

    status, _, err = assay("run", "-A", "shop:app", *CHOSEN[:2], "--out", "less", cwd=tmp_path, tmp=tmp_path)
    status, said, err = assay("compare", "runs/1", "less", cwd=tmp_path, tmp=tmp_path)
    assert (status, said) == (2, "")
    assert "1 row of the base: acks_late.main_killed_middle" in err
