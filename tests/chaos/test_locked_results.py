"""Results in a database that is locked when they are stored: what Celery does about it is up to the backend's word."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from assay.progress import Silent
from assay.report import Report
from assay.run import run
from assay.selection import Selection
from assay.settings import Settings
from assay.verdict import Verdict

SITE = """
SECRET_KEY = "for a test"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "never-made.sqlite3"}}
INSTALLED_APPS = ["django_celery_results"]
USE_TZ = True
"""
APP = """
import os
from celery import Celery
os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
import django
django.setup()
from django.db import OperationalError

class Shop(Celery):
    def _get_backend(self):
        backend = super()._get_backend()
        if {patient}:
            backend.exception_safe_to_retry = lambda error: isinstance(error, OperationalError)
        return backend

app = Shop("shop", broker="redis://localhost:1/0", backend="django-db")
app.conf.update(task_track_started=True, result_backend_always_retry=True, result_extended=True)

@app.task(name="shop.charge", autoretry_for=(ConnectionError,), max_retries=2, default_retry_delay=1)
def charge(): pass
"""
ROWS = ("away_at_started", "away_at_success", "away_at_failure", "away_at_retry", "slow_backend")


def ran(tmp: Path, *, patient: bool) -> Report:
    (tmp / "site_settings.py").write_text(SITE)
    (tmp / "shop.py").write_text(APP.format(patient=patient))
    table: dict[str, Any] = {"app": "shop:app", "workdir": str(tmp), "out": str(tmp / "run"), "jobs": 3}
    wanted = Selection(scenarios=tuple(f"results.{name}" for name in ROWS))
    return run(msgspec.convert(table, Settings, dec_hook=lambda _, raw: Path(raw)), wanted, Silent())


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return ran(tmp_path_factory.mktemp("impatient"), patient=False)


def test_given_a_backend_that_waits_for_a_lock_and_tries_again_then_every_state_gets_there(tmp_path: Path) -> None:
    report = ran(tmp_path, patient=True)
    rows = {row.scenario: row for row in report.results}
    assert any(said.startswith("a SQLite database's timeout: 0.2 s") for said in report.scaled)
    assert set(rows) == set(ROWS)
    assert [row.reason for row in rows.values() if row.verdict is not Verdict.HELD] == []
    assert all(row.landed == 1 for row in rows.values())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("away_at_started", "storing STARTED failed: OperationalError: database is locked"),
        ("away_at_success", "storing SUCCESS failed: OperationalError: database is locked"),
        ("away_at_failure", "storing FAILURE failed: OperationalError: database is locked"),
        ("away_at_retry", "task_retry was not told, 1 is due"),
    ],
)
def test_given_one_that_does_not_try_again_for_a_lock_then_it_is_said_though_the_setting_is_on(
    name: str, said: str, impatient: Report
) -> None:
    (row,) = [row for row in impatient.results if row.scenario == name]
    assert row.verdict is Verdict.VIOLATED, row.reason
    assert said in row.reason
    assert row.claim == "result_backend_always_retry=True"
    assert "exception_safe_to_retry" in row.remedy


def test_given_a_lock_that_is_shorter_than_the_timeout_then_it_is_waited_for(impatient: Report) -> None:
    (row,) = [row for row in impatient.results if row.scenario == "slow_backend"]
    assert row.verdict is Verdict.HELD, row.reason
