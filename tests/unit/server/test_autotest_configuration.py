"""AutoTest's Celery configuration: what the note intended, in settings that Celery reads."""

import celery
import pytest
from celery.app.defaults import SETTING_KEYS
from django.core import checks as django_checks
from django.db import OperationalError

import myapp.views.celery_views  # noqa: F401 - registers the tasks
from autotest.environment import environment
from celery_app import app, validation
from celery_app.configuration import known, settings
from celery_app.reliable import MOST_REDELIVERIES, ReliableTask, TooManyStarts, TransientError

TASKS = {
    "myapp.views.celery_views.execute_python_script": "script_execution",
    "myapp.views.celery_views.execute_dynamic_script_task": "dynamic_script",
    "myapp.views.celery_views.clear_old_records": "default",
}


def test_every_setting_is_one_that_celery_reads() -> None:
    assert set(known(settings(environment()))) <= set(SETTING_KEYS)


@pytest.mark.parametrize(("task", "queue"), TASKS.items())
def test_each_task_goes_to_its_queue_which_is_declared(task: str, queue: str) -> None:
    assert app.amqp.router.route({}, task)["queue"].name == queue
    assert queue in app.amqp.queues
    assert set(app.amqp.queues.consume_from) == set(TASKS.values()), "a worker without -Q consumes all three"


def test_a_misspelt_queue_fails_when_it_is_published_to() -> None:
    with pytest.raises(Exception, match="script_exekution"):
        app.send_task("myapp.views.celery_views.execute_python_script", queue="script_exekution")


def test_redis_waits_longer_than_the_longest_task_with_its_retry_delay() -> None:
    longest = app.conf.task_time_limit + ReliableTask.default_retry_delay
    assert app.conf.broker_transport_options["visibility_timeout"] > longest
    assert app.conf.task_soft_time_limit < app.conf.task_time_limit == 600


def test_retries_are_for_transient_errors_only_after_60_s_and_at_most_3() -> None:
    assert (ReliableTask.default_retry_delay, ReliableTask.max_retries) == (60, 3)
    assert issubclass(TransientError, ReliableTask.autoretry_for)
    assert issubclass(OperationalError, ReliableTask.autoretry_for)
    assert not issubclass(ValueError, ReliableTask.autoretry_for)
    assert all(isinstance(app.tasks[name], ReliableTask) for name in TASKS)


@pytest.mark.django_db
def test_a_task_that_is_started_again_and_again_ends() -> None:
    task = app.tasks["myapp.views.celery_views.clear_old_records"]
    allowed = 1 + ReliableTask.max_retries + MOST_REDELIVERIES
    for _ in range(allowed):
        task.before_start("poison", [], {})
    with pytest.raises(TooManyStarts):
        task.before_start("poison", [], {})
    task.before_start("another", [], {})


def said(name: str, pool: str = "prefork") -> validation.Check:
    (found,) = validation.checks(pool, {name})
    return found


def test_offline_checks_pass_as_configured() -> None:
    names = ("environment", "settings", "queues", "tasks", "visibility timeout", "pool")
    told = {name: said(name).ok for name in names}
    # task_retry_on_worker_lost is of 5.7: an older Celery does not read it, which is told and no failure
    assert told == dict.fromkeys(names, True) | {"settings": True if celery.VERSION >= (5, 7) else None}


def test_solo_is_told_to_ignore_limits_and_recycling() -> None:
    check = said("pool", "solo")
    assert check.ok is None
    assert "task_time_limit" in check.text
    assert "worker_max_tasks_per_child" in check.text


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("settings", "task_max_retries", 3),
        ("queues", "task_routes", {"a": {"queue": "nowhere"}}),
        ("tasks", "task_routes", {"myapp.no_such_task": {"queue": "default"}}),
        ("visibility timeout", "broker_transport_options", {"visibility_timeout": 600}),
    ],
)
def test_each_check_can_fail(name: str, setting: str, value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    had = app.conf.get(setting)
    monkeypatch.setitem(app.conf.changes, setting, value)
    assert app.conf.get(setting) == value != had
    check = said(name)
    assert check.ok is False
    assert str(check).startswith(f"FAIL {name}: ")


def test_redis_that_is_not_there_fails_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    from kombu import Connection

    url = "redis://:hunter2hunter2@127.0.0.1:1/0"
    monkeypatch.setattr(type(app), "connection_for_write", lambda self: Connection(url))
    check = said("redis")
    assert check.ok is False
    assert "hunter2" not in str(check)


def test_the_check_of_the_tasks_does_not_run_itself_through_celerys_django_support(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs: list[str] = []
    original = validation._tasks
    monkeypatch.setattr(validation, "_tasks", lambda of: runs.append("once") or original(of))
    app.loader.import_default_modules()  # as every worker does at its start
    began = len(runs)
    django_checks.run_checks()
    assert (began, len(runs)) == (1, 2)
