"""What an audit reads off a real app and its sources, and what its rules make of it."""

import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.schedules import crontab

from assay.audit.rule import View, look
from assay.inspection import describe
from assay.inspection.written import written
from assay.loading import load

Audited = Callable[..., list[tuple[str, str]]]

APP = """
from celery import Celery, shared_task
app = Celery("shop", broker="redis://localhost:6379/0")
app.conf.update({settings})
@app.task(shared=False, name="shop.charge"{options})
def charge(): pass
"""


@pytest.fixture
def audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Audited]:
    """(rule, place) of all that is found in an app with these settings, options of its task, and files beside it."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def call(settings: str = "", options: str = "", source: str = "", **files: str) -> list[tuple[str, str]]:
        (tmp_path / "shop.py").write_text(source or APP.format(settings=settings, options=options))
        for name, content in files.items():
            (tmp_path / f"{name}.py").write_text(content)
        app = load("shop:app", str(tmp_path))
        subject = describe(app, "shop:app", str(tmp_path))
        subject.tasks = [task for task in subject.tasks if task.name == "shop.charge"]  # not those of pytest plugins
        found = look(View(subject, written(app, str(tmp_path)), "prefork"))
        return [(each.rule, each.place) for each in found]

    yield call
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def entry(schedule: Any, **options: Any) -> Any:
    app = Celery("shop", set_as_current=False)
    app.conf.beat_schedule = {"it": {"task": "shop.charge", "schedule": schedule, **options}}
    app.finalize(auto=True)
    return written(app, ".").entries[0]


@pytest.mark.parametrize(
    ("settings", "options", "rule"),
    [
        ("task_reject_on_worker_lost=True", "", "rejected_too_late"),
        ("task_acks_late=True", "", "lost_child_is_acknowledged"),
        ("", ", time_limit=0", "zero_is_no_limit"),
        ("", ", autoretry_for=(Exception,)", "every_error_is_retried"),
        ("accept_content=['json', 'pickle']", "", "accepts_pickle"),
        ("result_expires=None, result_backend='redis://localhost/1'", "", "kept_for_ever"),
        ("task_always_eager=True", "", "eager"),
        ("broker_connection_retry=False", "", "leaves_with_its_connection"),
        ("beat_schedule={'it': {'task': 'shop.chrage', 'schedule': 60}}", "", "of_no_task"),
        ("task_routes={'shop.charge': {'queue': 'mail'}}", "", "nobody_consumes"),
        (
            "task_create_missing_queues=False, task_queues={'mail': {}}, task_default_queue='mail', "
            "task_routes={'shop.charge': {'queue': 'mial'}}",
            "",
            "undeclared",
        ),
        ("broker_transport_options={'visibility_timeout': 60}", ", time_limit=90", "visible_again_too_soon"),
    ],
)
def test_given_a_setting_when_the_app_is_read_then_its_rule_speaks(
    audited: Audited, settings: str, options: str, rule: str
) -> None:
    assert rule in [name for name, _ in audited(settings, options)]


def test_given_an_annotation_that_comes_after_the_task_then_it_is_dead_and_one_before_it_is_not(
    audited: Audited,
) -> None:
    annotated = 'app.conf.task_annotations = {"*": {"autoretry_for": (OSError,)}}\n'
    task = '@app.task(shared=False, name="shop.charge")\ndef charge(): pass\n'
    head = 'from celery import Celery\napp = Celery("shop", broker="redis://")\n'
    late = f"{head}{task}charge.name\n{annotated}"
    assert "annotated_too_late" in [name for name, _ in audited(source=late)]


def test_given_an_annotation_before_the_task_then_it_is_in_force(audited: Audited) -> None:
    source = (
        'from celery import Celery\napp = Celery("shop", broker="redis://")\n'
        'app.conf.task_annotations = {"*": {"autoretry_for": (OSError,)}}\n'
        '@app.task(shared=False, name="shop.charge")\ndef charge(): pass\n'
    )
    found = [name for name, _ in audited(source=source)]
    assert "annotated_too_late" not in found
    assert "retried_in_step" in found, "and it does retry"


def test_given_sources_then_calls_modules_and_passwords_are_found_where_they_are(audited: Audited) -> None:
    views = (
        "from django.db import transaction\n"
        "def order(charge):\n"
        "    with transaction.atomic():\n"
        "        charge.delay()\n"
        "        transaction.on_commit(lambda: charge.delay())\n"
        "    charge.apply_async(queue='mial')\n"
    )
    jobs = "from celery import shared_task\n\n@shared_task\ndef clean(): pass\n"
    found = audited("broker_url='redis://:hunter2@localhost:6379/0'", views=views, jobs=jobs)
    places = dict(found)
    assert places["published_before_the_commit"] == "views.py:4"
    assert [rule for rule, _ in found].count("published_before_the_commit") == 1, "what waits for the commit is right"
    assert places["sent_to_nobody"] == "views.py:6"
    assert places["not_imported"] == "jobs.py:4"
    assert places["password_in_the_source"] == "shop.py:4"


def test_given_names_under_another_namespace_then_they_are_told_with_the_one_that_is_read(audited: Audited) -> None:
    source = (
        'from celery import Celery\napp = Celery("shop", broker="redis://")\n'
        'app.config_from_object("conf", namespace="CELERY")\n'
        '@app.task(shared=False, name="shop.charge")\ndef charge(): pass\n'
    )
    conf = "CELERY_TASK_TIME_LIMIT = 60\nTASK_ACKS_LATE = True\nTIME_ZONE = 'UTC'\nDEBUG = True\n"
    found = audited(source=source, conf=conf)
    assert ("wrong_namespace", "conf.py:2") in found
    assert [rule for rule, _ in found].count("wrong_namespace") == 1, "Django's own names are none of Celery's"


def test_given_two_names_of_one_setting_then_the_one_that_loses_is_told(audited: Audited) -> None:
    source = (
        'from celery import Celery\napp = Celery("shop", broker="redis://")\n'
        'app.config_from_object("conf", namespace="CELERY")\n'
        "app.conf.task_time_limit = 90\n"
        '@app.task(shared=False, name="shop.charge")\ndef charge(): pass\n'
    )
    assert "given_twice" in [rule for rule, _ in audited(source=source, conf="CELERY_TASK_TIME_LIMIT = 60\n")]


@pytest.mark.parametrize(
    ("schedule", "every_s", "by_the_clock"),
    [
        (30, 30.0, False),
        (timedelta(minutes=5), 300.0, False),
        (crontab(minute="*/10"), 600.0, True),
        (crontab(minute=0, hour="3,4"), 3600.0, True),
        (crontab(minute=30, hour=2), 86400.0, True),
    ],
)
def test_given_a_schedule_then_its_shortest_period_is_known(schedule: Any, every_s: float, by_the_clock: bool) -> None:
    found = entry(schedule)
    assert (found.every_s, found.crontab) == (every_s, by_the_clock)


def test_given_a_name_in_the_decorator_then_it_is_no_file_that_names_the_task(audited: Audited) -> None:
    assert "named_after_its_file" not in [rule for rule, _ in audited()]
    unnamed = APP.format(settings="", options="").replace(', name="shop.charge"', "")
    assert "named_after_its_file" in [rule for rule, _ in audited(source=unnamed)]


def test_given_an_entry_that_expires_then_that_is_seen() -> None:
    assert entry(30, options={"expires": 20}).expires
    assert not entry(30).expires
