"""A setting that is to be written is named as the app's own configuration can take it."""

from typing import Any

import pytest
from celery import Celery
from celery.app.defaults import _TO_OLD_KEY, SETTING_KEYS
from celery.exceptions import ImproperlyConfigured
from targets import task

from assay.blame.candidates import candidates
from assay.inspection import describe
from assay.inspection.spelling import BEGINNINGS, old_name
from assay.inspection.written import written
from assay.releases import SINCE
from assay.subject import Subject

OLD = {"BROKER_URL": "redis://", "CELERY_ACKS_LATE": True, "CELERY_ROUTES": {"a": {"queue": "b"}}}
NAMESPACED = {"CELERY_BROKER_URL": "redis://", "CELERY_TASK_ACKS_LATE": True}
TODAY = {"broker_url": "redis://", "task_acks_late": True}


def app_of(source: dict[str, Any], namespace: str | None = None) -> Celery:
    app = Celery("shop", set_as_current=False)
    app.config_from_object(source, namespace=namespace)
    return app


def described(source: dict[str, Any], namespace: str | None = None) -> Subject:
    return describe(app_of(source, namespace), "shop", ".")


@pytest.mark.parametrize(
    ("source", "namespace", "late", "lost", "queues"),
    [
        (TODAY, None, "task_acks_late", "task_reject_on_worker_lost", "task_queues"),
        (OLD, None, "CELERY_ACKS_LATE", "CELERY_REJECT_ON_WORKER_LOST", "CELERY_QUEUES"),
        (NAMESPACED, "CELERY", "CELERY_TASK_ACKS_LATE", "CELERY_TASK_REJECT_ON_WORKER_LOST", "CELERY_TASK_QUEUES"),
        (
            {"JOBS_TIMEZONE": "UTC"},
            "JOBS",
            "JOBS_TASK_ACKS_LATE",
            "JOBS_TASK_REJECT_ON_WORKER_LOST",
            "JOBS_TASK_QUEUES",
        ),
        ({}, "jobs", "jobs_task_acks_late", "jobs_task_reject_on_worker_lost", "jobs_task_queues"),
    ],
)
def test_given_a_style_of_names_then_a_remedy_is_worded_in_it(
    source: dict[str, Any], namespace: str | None, late: str, lost: str, queues: str
) -> None:
    app = described(source, namespace)
    assert app.worded("set task_acks_late=True and task_reject_on_worker_lost=True, or declare it in task_queues.") == (
        f"set {late}=True and {lost}=True, or declare it in {queues}."
    )
    for other in ("set acks_late=True on the task", "my_task_queues", "app.conf.task_queues", "task_queues.py"):
        assert app.worded(other) == other
    named = {flip.key: str(flip) for flip in candidates("acks_late", task(), app, on_redis=True)}
    assert named["task_reject_on_worker_lost"] == f"{lost}=True"


def test_given_a_namespace_under_which_nothing_is_given_then_names_stay_as_the_app_has_them() -> None:
    app = app_of({}, "CELERY")
    app.conf.update(task_acks_late=True)
    assert describe(app, "shop", ".").spelling == {}


def test_given_a_setting_that_came_later_under_its_name_of_today_then_that_one_is_named() -> None:
    app = app_of(OLD)
    assert app.conf.task_acks_late, "read: what comes before that is taken over under its old name"
    app.conf.update(task_track_started=True)
    assert describe(app, "shop", ".").worded("task_track_started, task_time_limit") == (
        "task_track_started, CELERYD_TASK_TIME_LIMIT"
    )


@pytest.mark.parametrize(("source", "namespace"), [(OLD, None), (NAMESPACED, "CELERY")])
def test_every_setting_is_in_force_under_the_name_that_is_told(source: dict[str, Any], namespace: str | None) -> None:
    spelling = described(source, namespace).spelling
    app = Celery("shop", set_as_current=False)
    app.config_from_object({**source, **{spelling[key]: f"of {key}" for key in SETTING_KEYS}}, namespace=namespace)
    assert {key for key in SETTING_KEYS if app.conf[key] != f"of {key}"} == set()


def test_a_name_of_today_beside_old_ones_is_refused_and_without_the_namespace_nobody_reads_it() -> None:
    with pytest.raises(ImproperlyConfigured, match="Cannot mix new setting names with old"):
        app_of({**OLD, "task_reject_on_worker_lost": True}).conf.task_reject_on_worker_lost  # noqa: B018
    assert not app_of({**OLD, "CELERY_TASK_REJECT_ON_WORKER_LOST": True}).conf.task_reject_on_worker_lost
    assert not app_of({**NAMESPACED, "TASK_REJECT_ON_WORKER_LOST": True}, "CELERY").conf.task_reject_on_worker_lost


def test_the_old_name_of_a_setting_of_a_newer_release_is_the_one_that_it_has_there() -> None:
    for key in {key for keys in SINCE.values() for key in keys} & SETTING_KEYS:
        beginning = next((each for each in BEGINNINGS if key.startswith(each)), "")
        assert old_name(f"{key}_of_tomorrow") == f"{_TO_OLD_KEY[key]}_OF_TOMORROW", beginning


def test_given_a_setting_under_both_names_of_a_namespace_then_the_one_that_is_in_force_is_named() -> None:
    """Celery reads an old name there too, where the other is not given."""
    both = described({**NAMESPACED, "CELERY_ACKS_LATE": False}, "CELERY")
    assert both.worded("set task_acks_late=True") == "set CELERY_TASK_ACKS_LATE=True"
    app = app_of({"CELERY_BROKER_URL": "redis://", "CELERY_ACKS_LATE": True}, "CELERY")
    assert app.conf.task_acks_late is True
    assert "task_acks_late" not in written(app, ".").defaults
