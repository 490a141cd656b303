"""Cold workers see the same configuration as those that are forked."""

import json
from pathlib import Path

import pytest
from leftovers import assay

APP = """
import os
from celery import Celery
assert os.environ["DJANGO_SETTINGS_MODULE"] == "shop_site"
app = Celery("shop", broker="redis://localhost:6379/0")
app.conf.update(task_acks_late=os.environ["ACKS_LATE"] == "1", task_reject_on_worker_lost=True)
@app.task
def charge(amount): return amount
"""
CONFIGURATION = """
app = "shop:app"
django_settings = "shop_site"
[env]
ACKS_LATE = "1"
"""


@pytest.mark.parametrize("how", [(), ("--cold",)], ids=["warm", "cold"])
def test_given_variables_for_the_app_then_its_workers_are_configured_by_them(
    tmp_path: Path, how: tuple[str, ...]
) -> None:
    (tmp_path / "shop.py").write_text(APP)
    (tmp_path / "shop_site.py").write_text("SECRET_KEY = 'x'")
    (tmp_path / "assay.toml").write_text(CONFIGURATION)
    arguments = ("run", "--scenario", "child_killed_middle", "--out", str(tmp_path / "run"), *how)
    _, said, err = assay(*arguments, cwd=tmp_path, tmp=tmp_path)
    report = json.loads((tmp_path / "run/report.json").read_text())
    assert [row["outcome"] for row in report["results"]] == ["recovered"], f"{said}\n{err}"
