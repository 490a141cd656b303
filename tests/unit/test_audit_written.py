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
from assay.inspection.calls import read
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
        ("task_time_limit=60", ", time_limit=0", "zero_is_no_limit"),
        ("task_routes={'shop.charge': {'routing_key': 'x', 'queue': 'mail'}}", "", "nobody_consumes"),
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
        (
            "task_acks_late=True, broker_transport_options={'visibility_timeout': 60}",
            ", time_limit=90",
            "visible_again_too_soon",
        ),
    ],
)
def test_given_a_setting_when_the_app_is_read_then_its_rule_speaks(
    audited: Audited, settings: str, options: str, rule: str
) -> None:
    assert rule in [name for name, _ in audited(settings, options)]


@pytest.mark.parametrize(
    ("settings", "options", "rule"),
    [
        ("task_time_limit=0", ", soft_time_limit=0", "zero_is_no_limit"),
        (
            "task_queues=[__import__('kombu').Queue('all', __import__('kombu').Exchange('e', 'topic'), 'a.#')], "
            "task_routes={'shop.charge': {'exchange': 'e', 'routing_key': 'a.b'}}",
            "",
            "nobody_consumes",
        ),
        ("task_routes=[lambda name, args, kwargs, options, task=None: args[0]]", "", "undeclared"),
        ("task_routes=[lambda name, args, kwargs, options, task=None: args[0]]", "", "nobody_consumes"),
        ("", ", autoretry_for=(Exception,), dont_autoretry_for=(TypeError,)", "every_error_is_retried"),
        ("", ", autoretry_for=(OSError,), retry_kwargs={'max_retries': None}", "retried_without_end"),
        (
            "enable_utc=False, beat_schedule={'it': {'task': 'shop.charge', "
            "'schedule': __import__('celery').schedules.crontab(hour=3)}}",
            "",
            "in_utc",
        ),
        ("broker_url='redis://:%s@localhost:6379/0' % 'x'", "", "password_in_the_source"),
        ("broker_url=__import__('os').environ.get('B', 'redis://:pw@localhost/0')", "", "password_in_the_source"),
        ("broker_url='amqp://guest:guest@localhost//'", "", "password_in_the_source"),
    ],
)
def test_given_a_setting_that_is_right_when_the_app_is_read_then_the_rule_is_silent(
    audited: Audited, settings: str, options: str, rule: str
) -> None:
    assert rule not in [name for name, _ in audited(settings, options)]


def test_given_sources_that_cannot_be_read_or_are_deep_then_the_others_are(audited: Audited, tmp_path: Path) -> None:
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere")
    deep = "def f(charge):\n    charge.delay()\n    return " + " + ".join(["1"] * 1500) + "\n"
    places = dict(audited(deep=deep, zviews="def order(charge):\n    charge.apply_async(queue='mial')\n"))
    assert places["sent_to_nobody"] == "zviews.py:2"
    kept, _ = read(tmp_path, set())
    assert [each.place for each in kept] == ["zviews.py:2"], "a call that no rule asks about is not sent"


def test_given_tasks_that_are_not_celerys_or_copies_then_no_worker_misses_them(
    audited: Audited, tmp_path: Path
) -> None:
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "jobs.py").write_text("from celery import shared_task\n@shared_task\ndef a(): pass\n")
    flows = "import airflow\nfrom airflow.decorators import task\n@airflow.task\ndef a(): pass\n@task\ndef b(): pass\n"
    jobs = "from celery import Celery\nmine = Celery()\n@mine.task(bind=True)\nasync def clean(self): pass\n"
    found = audited(flows=flows, jobs=jobs)
    assert [place for rule, place in found if rule == "not_imported"] == ["jobs.py:4"]


def test_given_calls_to_other_apps_then_only_this_apps_tasks_are_told(audited: Audited) -> None:
    calls = (
        "def order(app, charge):\n"
        "    app.send_task('mail.send', queue='mail')\n"
        "    app.send_task('shop.charge', queue='mail')\n"
        "    charge.delay(queue='mail')\n"
    )
    found = audited(calls=calls)
    assert [place for rule, place in found if rule == "sent_to_nobody"] == ["calls.py:3"]


def test_given_names_that_are_read_or_given_twice_then_none_is_under_another_namespace(audited: Audited) -> None:
    source = (
        'from celery import Celery\nimport conf as settings\napp = Celery("shop")\n'
        'app.config_from_object("conf", namespace="CELERY")\nlate = settings.TASK_ACKS_LATE\n'
        '@app.task(shared=False, name="shop.charge")\ndef charge(): pass\n'
    )
    conf = "TASK_ACKS_LATE = True\nTASK_TIME_LIMIT = 9\nCELERY_TASK_TIME_LIMIT = 9\nBROKER_URL = 'redis://x'\n"
    found = audited(source=source, conf=conf)
    probe = Celery(set_as_current=False)
    probe.config_from_object({"BROKER_URL": "redis://x"}, namespace="CELERY")
    unread = [] if probe.conf.broker_url else ["conf.py:4"]  # Celery 5.4 does not read it so
    assert [place for rule, place in found if rule == "wrong_namespace"] == unread


@pytest.mark.parametrize(("value", "told"), [("redis://localhost:6379/0", False), ("redis://elsewhere/0", True)])
def test_given_an_address_in_the_environment_then_it_is_told_where_it_is_another(
    audited: Audited, monkeypatch: pytest.MonkeyPatch, value: str, told: bool
) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", value)
    assert ("environment_wins" in [rule for rule, _ in audited("broker_url='redis://localhost:6379/0'")]) is told


def test_given_names_of_errors_that_came_too_late_then_they_are_dead_and_break_nothing(audited: Audited) -> None:
    head = 'from celery import Celery\napp = Celery("shop", broker="redis://")\n'
    task = '@app.task(shared=False, name="shop.charge")\ndef charge(): pass\ncharge.name\n'
    late = 'app.conf.task_annotations = {"*": {"autoretry_for": ("OSError",)}}\ncharge.autoretry_for = ("OSError",)\n'
    found = [rule for rule, _ in audited(source=head + task + late)]
    assert "annotated_too_late" in found
    assert "errors_by_name" not in found


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


@pytest.mark.parametrize(
    ("settings", "plain"),
    [({}, True), ({"task_default_queue_type": "quorum"}, False), ({"task_default_exchange": "shop"}, False)],
)
def test_given_what_queues_are_like_then_it_is_known_whether_a_plain_one_is(settings: Any, plain: bool) -> None:
    app = Celery("shop", set_as_current=False)
    app.conf.update(settings)
    assert written(app, ".").plain_queues is plain


def test_given_an_entry_that_expires_then_that_is_seen() -> None:
    assert entry(30, options={"expires": 20}).expires
    assert not entry(30).expires


def test_given_two_addresses_in_a_line_then_only_the_one_with_a_password_is_told(audited: Audited) -> None:
    source = (
        "from celery import Celery\n"
        'app = Celery("shop", broker="redis://:hunter2@localhost:6379/0", backend="redis://localhost:6379/1")\n'
        '@app.task(shared=False, name="shop.charge")\ndef charge(): pass\n'
    )
    assert [rule for rule, _ in audited(source=source)].count("password_in_the_source") == 1


@pytest.mark.parametrize("given", [{"task_acks_late": True}, {"CELERY_ACKS_LATE": True}])
def test_defaults_are_what_claims_something_and_is_not_given_under_any_name(
    given: dict[str, Any], tmp_path: Path
) -> None:
    app = Celery("shop", set_as_current=False)
    app.conf.update(given)
    found = written(app, str(tmp_path)).defaults
    assert "task_acks_late" not in found
    assert (found["worker_prefetch_multiplier"], found["broker_connection_retry"]) == (4, True)
    assert "task_serializer" not in found, "it claims nothing of what becomes of a task"


def test_given_a_namespace_that_old_names_do_not_have_then_the_old_name_is_wanted(tmp_path: Path) -> None:
    app = Celery("shop", set_as_current=False)
    app.config_from_object({"BROKER_URL": "redis://", "CELERY_ACKS_LATE": True, "CELERY_TASK_TIME_LIMIT": 60})
    app.finalize(auto=True)
    assert [(each.name, each.wanted) for each in written(app, str(tmp_path)).misplaced] == [
        ("CELERY_TASK_TIME_LIMIT", "CELERYD_TASK_TIME_LIMIT")
    ]
