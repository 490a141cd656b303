"""What is read off an app: settings under any of their names, what is hidden, and how a failed import is told."""

from pathlib import Path

import pytest
from celery import Celery

from assay.errors import UsageError
from assay.inspection import describe, load
from assay.subject import Setting, Subject


def described(app: Celery) -> Subject:
    app.finalize(auto=True)
    return describe(app, "shop", ".")


def setting(subject: Subject, key: str) -> Setting:
    return next(each for each in subject.settings if each.key == key)


def test_old_names_are_told_as_they_were_given_and_known_under_todays() -> None:
    app = Celery("shop", set_as_current=False)
    app.config_from_object({"CELERY_ACKS_LATE": True, "BROKER_URL": "redis://localhost/0"})
    found = setting(described(app), "task_acks_late")
    assert (found.known, str(found)) == (True, "CELERY_ACKS_LATE=True")


def test_a_namespace_is_taken_off_and_a_dead_setting_in_it_is_found() -> None:
    app = Celery("shop", set_as_current=False)
    app.config_from_object({"CELERY_TASK_ACKS_LATE": True, "CELERY_TASK_MAX_RETRIES": 3}, namespace="CELERY")
    subject = described(app)
    assert setting(subject, "task_acks_late").known
    assert not setting(subject, "task_max_retries").known


def test_a_misspelt_setting_has_its_nearest() -> None:
    app = Celery("shop", set_as_current=False)
    app.conf.task_ack_late = True
    found = setting(described(app), "task_ack_late")
    assert (found.known, found.nearest) == (False, "task_acks_late")


def test_credentials_are_hidden() -> None:
    app = Celery("shop", set_as_current=False, broker="redis://:hunter2hunter2@localhost/0")
    app.conf.update(redis_password="hunter2hunter2", broker_transport_options={"password": "hunter2hunter2"})
    assert "hunter2" not in repr(described(app))


def test_tasks_have_the_options_that_are_in_force_for_them() -> None:
    app = Celery("shop", set_as_current=False)
    app.conf.update(task_acks_late=True, task_time_limit=600)

    @app.task(name="shop.charge", time_limit=30, max_retries=7, acks_late=False)
    def charge() -> None: ...

    @app.task(name="shop.ship")
    def ship() -> None: ...

    by_name = {task.name: task for task in described(app).tasks}
    assert (by_name["shop.charge"].time_limit, by_name["shop.charge"].acks_late) == (30, False)
    assert by_name["shop.charge"].max_retries == 7
    assert (by_name["shop.ship"].time_limit, by_name["shop.ship"].acks_late) == (600, True)


@pytest.mark.parametrize(
    ("source", "name", "told"),
    [
        (None, "assay_no_such:app", "there is no module 'assay_no_such'"),
        ("app = 7", "assay_made_{}:app", "is int, not a Celery app"),
        ("raise RuntimeError('no database')", "assay_made_{}:app", "RuntimeError: no database"),
        ("import assay_missing_library", "assay_made_{}:app", "No module named 'assay_missing_library'"),
        ("def app():\n    raise ValueError('no settings')", "assay_made_{}:app", "no settings"),
        ("x = 1", "assay_made_{}:app", "app"),
    ],
)
def test_a_failed_import_is_told_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    source: str | None,
    name: str,
    told: str,
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    name = name.format(abs(hash(request.node.name)))
    if source is not None:
        (tmp_path / f"{name.partition(':')[0]}.py").write_text(source)
    with pytest.raises(UsageError) as failed:
        load(name, str(tmp_path))
    assert told in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_factory_and_a_web_frameworks_app_are_unwrapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "assay_made_factory.py").write_text(
        "from celery import Celery\n"
        "made = Celery('made', set_as_current=False)\n"
        "class Web:\n"
        "    extensions = {'celery': made}\n"
        "web = Web()\n"
        "def create():\n"
        "    return made\n"
    )
    assert load("assay_made_factory:create", str(tmp_path)).main == "made"
    assert load("assay_made_factory:web", str(tmp_path)).main == "made"
