"""What is read off an app: settings under any of their names, what is hidden, and how a failed import is told."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery import Task as CeleryTask
from celery.app.defaults import SETTING_KEYS
from celery.concurrency import prefork

from assay.dead import dead_claims
from assay.errors import UsageError
from assay.inspection import describe, visibility_s
from assay.inspection.tasks import NEWER_OPTIONS
from assay.loading import load
from assay.subject import Setting, Subject

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes files of a project that is importable during the test; `load` is given the folder that it returns."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def files(**contents: str) -> str:
        for name, content in contents.items():
            path = tmp_path / f"{name.replace('__slash__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return str(tmp_path)

    yield files
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def described(app: Celery) -> Subject:
    app.finalize(auto=True)
    return describe(app, "shop", ".")


def configured(source: dict[str, Any], **options: Any) -> Subject:
    app = Celery("shop", set_as_current=False)
    app.config_from_object(source, **options)
    return described(app)


def setting(subject: Subject, key: str) -> Setting:
    return next(each for each in subject.settings if each.key == key)


# -- settings under their names


@pytest.mark.parametrize(
    ("old", "value", "today"),
    [
        ("CELERY_ACKS_LATE", True, "task_acks_late"),
        ("CELERYD_TASK_TIME_LIMIT", 120, "task_time_limit"),
        ("CELERYD_PREFETCH_MULTIPLIER", 1, "worker_prefetch_multiplier"),
        ("CELERY_RESULT_BACKEND", "rpc://", "result_backend"),
        ("BROKER_CONNECTION_TIMEOUT", 7, "broker_connection_timeout"),
    ],
)
def test_old_names_are_told_as_they_were_given_and_known_under_todays(old: str, value: Any, today: str) -> None:
    found = setting(configured({old: value}), today)
    assert (found.known, str(found)) == (True, f"{old}={value}")


def test_old_names_are_in_force() -> None:
    subject = configured(
        {
            "CELERYD_MAX_TASKS_PER_CHILD": 20,
            "CELERYD_PREFETCH_MULTIPLIER": 3,
            "CELERY_DEFAULT_QUEUE": "main",
            "BROKER_TRANSPORT_OPTIONS": {"visibility_timeout": 60, "priority_steps": [0, 5]},
        }
    )
    assert (subject.max_tasks_per_child, subject.prefetch_multiplier, subject.default_queue) == (20, 3, "main")
    assert (subject.visibility_timeout, subject.priority_steps) == (60.0, (0, 5))


def test_an_upper_case_name_that_celery_never_had_is_not_known() -> None:
    subject = configured({"CELERY_ACKS_LATE": True, "CELERY_MAX_RETRIES": 5})
    assert setting(subject, "task_acks_late").known
    assert not setting(subject, "CELERY_MAX_RETRIES").known


def test_a_namespace_is_taken_off_and_a_dead_setting_in_it_is_found() -> None:
    subject = configured({"CELERY_TASK_ACKS_LATE": True, "CELERY_TASK_MAX_RETRIES": 3}, namespace="CELERY")
    assert setting(subject, "task_acks_late").known
    assert not setting(subject, "task_max_retries").known
    assert [claim.setting for claim in dead_claims(subject)] == ["CELERY_TASK_MAX_RETRIES=3"]


def test_a_namespace_of_the_teams_own_is_taken_off_too() -> None:
    subject = configured({"JOBS_TASK_ACKS_LATE": True, "JOBS_TASK_TIME_LIMITS": 3}, namespace="JOBS")
    assert str(setting(subject, "task_acks_late")) == "JOBS_TASK_ACKS_LATE=True"
    assert setting(subject, "task_time_limits").nearest == "task_time_limit"


def test_what_is_not_celerys_comes_along_with_djangos_settings_and_is_left_out() -> None:
    subject = configured(
        {"CELERY_TASK_ACKS_LATE": True, "SECRET_KEY": "x", "DEBUG": True, "DATABASES": {}}, namespace="CELERY"
    )
    assert [each.key for each in subject.settings] == ["task_acks_late"]


def test_a_misspelt_setting_has_its_nearest() -> None:
    found = setting(configured({"task_ack_late": True}), "task_ack_late")
    assert (found.known, found.nearest) == (False, "task_acks_late")
    cut_short = setting(configured({"worker_prefetch": 1}), "worker_prefetch")
    assert cut_short.nearest == "worker_prefetch_multiplier", "rather than worker_disable_prefetch, which is as near"


def test_keys_of_other_packages_are_no_claims() -> None:
    subject = configured({"task_acks_late": True, "redbeat_key_prefix": "x", "django_celery_results": 1})
    assert dead_claims(subject) == []


# -- settings and options that this release lacks


@pytest.mark.parametrize(
    ("key", "value"), [("worker_soft_shutdown_timeout", 20.0), ("task_retry_on_worker_lost", True)]
)
def test_a_setting_is_in_force_only_where_this_release_reads_it(key: str, value: Any) -> None:
    app = Celery("shop", set_as_current=False)
    app.conf[key] = value

    @app.task(shared=False, name="shop.charge")
    def charge() -> None: ...

    subject = described(app)
    reads = key in SETTING_KEYS
    assert setting(subject, key).known is reads
    assert bool(subject.soft_shutdown_timeout or subject.task("shop.charge").retry_on_worker_lost) is reads
    assert [claim.setting for claim in dead_claims(subject)] == ([] if reads else [f"{key}={value}"])


@pytest.mark.parametrize("option", NEWER_OPTIONS)
def test_an_option_of_a_newer_release_is_in_force_only_where_this_one_reads_it(
    option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Celery("shop", set_as_current=False)

    @app.task(shared=False, name="shop.charge", **{option: option == "retry_on_worker_lost"})
    def charge() -> None: ...

    app.finalize(auto=True)
    for reads in (hasattr(CeleryTask, option), False):
        if not reads and hasattr(CeleryTask, option):
            monkeypatch.delattr(CeleryTask, option)  # as in a release before it
        subject = described(app)
        task = subject.task("shop.charge")
        differs = getattr(task, option) == (option == "retry_on_worker_lost")
        assert (differs, task.unread) == (reads, () if reads else (option,))
        assert [claim.setting for claim in dead_claims(subject)] == ([] if reads else [option])


def test_a_default_of_this_release_is_no_option_that_nothing_reads() -> None:
    app = Celery("shop", set_as_current=False)

    @app.task(shared=False, name="shop.charge")
    def charge() -> None: ...

    assert described(app).task("shop.charge").unread == ()


# -- pools under their names


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("prefork", "prefork"),
        ("processes", "prefork"),
        ("celery.concurrency.prefork:TaskPool", "prefork"),
        ("celery.concurrency.prefork.TaskPool", "prefork"),
        (prefork.TaskPool, "prefork"),
        ("solo", "solo"),
        ("celery.concurrency.thread:TaskPool", "threads"),
        ("gevent", "gevent"),
        ("shop.pools:Own", "shop.pools:Own"),
    ],
)
def test_a_pool_by_any_of_its_names_is_told_by_celerys_own(given: Any, name: str) -> None:
    assert configured({"worker_pool": given}).pool == name


# -- what is hidden


@pytest.mark.parametrize(
    "source",
    [
        {"redis_password": "hunter2"},
        {"broker_transport_options": {"password": "hunter2"}},
        {"broker_transport_options": {"sentinel_kwargs": {"password": "hunter2"}}},
        {"broker_url": "redis://:hunter2@localhost/0"},
        {"broker_url": ["redis://:hunter2@localhost/0", "redis://elsewhere/0"]},
        {"result_backend": "db+postgresql://shop:hunter2@localhost/shop"},
        {"CELERY_RESULT_BACKEND": "rpc://shop:hunter2@localhost//"},
        {"result_backend": "azureblockblob://DefaultEndpointsProtocol=https;AccountName=x;AccountKey=hunter2==;"},
        {"result_backend": "s3://bucket/?key=hunter2"},
        {"task_secret_token": "hunter2"},
        {"broker_user": "guest", "broker_password": "hunter2"},
        {"security_key_password": b"hunter2"},
    ],
)
def test_credentials_are_hidden(source: dict[str, Any]) -> None:
    subject = configured(source)
    assert subject.settings, "it is told that it is set"
    assert "hunter2" not in repr(subject)


def test_a_visibility_timeout_that_is_not_given_is_the_brokers_own() -> None:
    assert (visibility_s("redis://localhost/0"), visibility_s("sqs://")) == (3600.0, 1800.0)


def test_what_is_no_credential_is_shown() -> None:
    subject = configured({"broker_url": "redis://localhost/0", "task_time_limit": 600})
    assert setting(subject, "broker_url").value == "redis://localhost/0"
    assert setting(subject, "task_time_limit").value == 600


def test_values_are_shown_alike_in_each_run_and_apart_where_they_differ_beyond_what_is_shown() -> None:
    def shown(**source: Any) -> Any:
        (given,) = configured(source).settings
        return given.value

    many = {f"option_{number}": number for number in range(30)}
    once, again = shown(broker_transport_options=many), shown(broker_transport_options=dict(many))
    assert once == again
    assert len(once) < 210
    assert once != shown(broker_transport_options={**many, "option_29": 0})
    assert "0x" not in shown(task_routes=(lambda *_: None,))
    assert shown(accept_content={"json", "yaml", "msgpack"}) == "['json', 'msgpack', 'yaml']"
    assert "['a', 'b', 'c']" in shown(task_annotations={"*": {"names": ({"c", "a", "b"},)}})


# -- tasks


def test_tasks_have_the_options_that_are_in_force_for_them() -> None:
    app = Celery("shop", set_as_current=False)
    app.conf.update(task_acks_late=True, task_time_limit=600, task_soft_time_limit=500)

    @app.task(shared=False, name="shop.charge", time_limit=30, soft_time_limit=20, max_retries=7, acks_late=False)
    def charge() -> None: ...

    @app.task(shared=False, name="shop.ship")
    def ship() -> None: ...

    charged, shipped = (described(app).task(f"shop.{name}") for name in ("charge", "ship"))
    assert (charged.time_limit, charged.soft_time_limit, charged.acks_late) == (30, 20, False)
    assert charged.max_retries == 7
    assert (shipped.time_limit, shipped.soft_time_limit, shipped.acks_late) == (600, 500, True)


# -- apps that do not come


def refused(name: str, folder: str) -> str:
    with pytest.raises(UsageError) as failed:
        load(name, folder)
    told = str(failed.value)
    assert "\n" not in told
    return told


@pytest.mark.parametrize(
    ("source", "attribute", "told"),
    [
        ("app = 7", ":app", "assay_made:app is int, not a Celery app; give -A as you give it to celery"),
        ("raise RuntimeError('no database')", ":app", "RuntimeError: no database"),
        ("import assay_missing_library", ":app", "No module named 'assay_missing_library'"),
        ("x = 1", ":app", "-A assay_made:app: module 'assay_made' has no attribute 'app'"),
        ("def app():\n    raise ValueError('no settings')", ":app", "the factory assay_made:app failed: ValueError"),
        ("def app(settings): ...", ":app", "the factory assay_made:app failed: TypeError"),
        ("raise SystemExit(3)", ":app", "SystemExit: 3"),
        ("app = None or", ":app", "SyntaxError"),
        ("x = 1", "", "-A assay_made: module 'assay_made' has no attribute 'celery'"),
        ("import os\nos.no_such", ":app", "assay_made.py:2"),
    ],
)
def test_a_failed_import_is_told_in_one_line(write: Write, source: str, attribute: str, told: str) -> None:
    assert told in refused(f"assay_made{attribute}", write(assay_made=source))


def test_a_module_that_is_not_there_is_told_with_where_it_was_looked_for(tmp_path: Path, write: Write) -> None:
    told = refused("assay_no_such:app", write())
    assert told.startswith(f"there is no module 'assay_no_such': looked in {tmp_path}")
    assert "--workdir" in told


def test_a_missing_library_whose_name_begins_the_apps_own_is_not_taken_for_the_app(write: Write) -> None:
    told = refused("assay_made_shop:app", write(assay_made_shop="import assay_made"))
    assert "there is no module" not in told
    assert "assay_made_shop.py:1" in told


def test_a_package_whose_init_fails_is_told_with_its_line(tmp_path: Path, write: Write) -> None:
    folder = write(assay_made__slash____init__="x = 1\nraise KeyError('REDIS_URL')", assay_made__slash__celery="")
    told = refused("assay_made.celery:app", folder)
    assert told.startswith("-A assay_made.celery:app failed while it was imported: KeyError: 'REDIS_URL'")
    assert f"{tmp_path}/assay_made/__init__.py:2" in told


def test_an_init_that_imports_what_is_missing_in_its_own_package_is_told_so(write: Write) -> None:
    folder = write(assay_made__slash____init__="from .celery import app")
    assert "assay_made.celery" in refused("assay_made", folder)


def test_tasks_that_fail_when_they_are_imported_are_told_with_their_line(tmp_path: Path, write: Write) -> None:
    folder = write(
        assay_made=f"{MADE}app = made\napp.conf.include = ['assay_made_tasks']",
        assay_made_tasks="\n\nraise ValueError('no such table')",
    )
    told = refused("assay_made:app", folder)
    assert f"ValueError: no such table ({tmp_path}/assay_made_tasks.py:3)" in told


MIXED = """task_track_started = True
worker_concurrency = 3
CELERY_ACKS_LATE = True
CELERYD_TIMER_PRECISION = 1
CELERYD_POOL = "solo"
"""


def test_old_and_new_names_together_are_told_in_one_paragraph_with_the_place_of_the_first(write: Write) -> None:
    folder = write(assay_mixed=f"{MADE}made.config_from_object('assay_mixed_conf')", assay_mixed_conf=MIXED)
    told = refused("assay_mixed:made", folder)
    assert ": task_track_started -> CELERY_TRACK_STARTED, worker_concurrency -> CELERYD_CONCURRENCY; Or" in told
    assert told.endswith("(assay_mixed_conf.py:1)")


# -- apps in any wrapping

MADE = "from celery import Celery\nmade = Celery('made', set_as_current=False)\n"
WEB = "class Web:\n    extensions = {'celery': made}\n    def __call__(self, environ, start_response): ...\n"


@pytest.mark.parametrize(
    ("source", "attribute"),
    [
        ("app = made", ":app"),
        ("app = made", ""),
        ("celery = made", ""),
        ("", ""),
        ("def create():\n    return made", ":create"),
        ("def create():\n    return made", ":create()"),
        ("def create(debug=False):\n    return made", ":create"),
        (f"{WEB}web = Web()", ":web"),
        (f"{WEB}app = Web()", ""),
        (f"{WEB}def create():\n    return Web()", ":create"),
        ("from celery.local import Proxy\napp = Proxy(lambda: made)", ":app"),
    ],
)
def test_an_app_is_found_in_any_wrapping(write: Write, source: str, attribute: str) -> None:
    app = load(f"assay_made{attribute}", write(assay_made=MADE + source))
    assert type(app) is Celery
    assert app.main == "made"


def test_a_package_is_asked_for_its_celery_module_as_celery_does(write: Write) -> None:
    folder = write(assay_made__slash____init__="", assay_made__slash__celery=f"{MADE}app = made")
    assert load("assay_made", folder).main == "made"


def test_a_rate_limit_that_is_raised_is_told_as_redirected() -> None:
    app = Celery("shop", set_as_current=False)

    @app.task(shared=False, name="shop.charge", rate_limit="10/m")
    def charge() -> None: ...

    @app.task(shared=False, name="shop.ship", rate_limit="1000/s")
    def ship() -> None: ...

    told = [sentence for sentence in described(app).redirected if sentence.startswith("rate limit")]
    assert told == [
        "rate limit of shop.charge (10/m): raised to 200/s, so that a waiting task is not taken for a stuck one"
    ]


def test_given_a_route_to_a_queue_that_nobody_declared_then_describing_it_declares_none() -> None:
    app = Celery("shop", set_as_current=False)
    app.conf.task_routes = {"shop.charge": {"queue": "nowhere"}}

    @app.task(shared=False, name="shop.charge")
    def charge() -> None: ...

    app.finalize(auto=True)
    subject = describe(app, "shop:app", "/nowhere")
    assert subject.task("shop.charge").queue == "nowhere"
    assert subject.queues == ["celery"]
    assert list(app.amqp.queues) == ["celery"]


def test_a_task_is_placed_as_its_settings_are_below_the_project(tmp_path: Path) -> None:
    app = Celery("shop", set_as_current=False)

    @app.task(shared=False, name="shop.charge")
    def charge() -> None: ...

    app.finalize(auto=True)
    here = Path(__file__)
    assert describe(app, "shop", str(here.parent)).task("shop.charge").place.startswith(f"{here.name}:")
    assert describe(app, "shop", str(tmp_path)).task("shop.charge").place.startswith(f"{here}:")


BY_ARGUMENTS = """from celery import Celery

app = Celery("shop", broker="redis://localhost/0",
             backend="redis://localhost/1", set_as_current=False)
{more}
"""


@pytest.mark.parametrize(
    ("module", "more", "places"),
    [
        ("by_arguments", "", ("by_arguments.py:3", "by_arguments.py:4")),
        ("by_both", 'app.conf.result_backend = "redis://localhost/2"', ("by_both.py:3", "by_both.py:5")),
    ],
)
def test_given_settings_as_arguments_of_the_app_then_their_place_is_there(
    write: Write, module: str, more: str, places: tuple[str, str]
) -> None:
    folder = write(**{module: BY_ARGUMENTS.format(more=more)})
    subject = describe(load(f"{module}:app", folder), module, folder)
    assert (subject.place("broker_url"), subject.place("result_backend")) == places


def test_given_a_claim_that_no_task_can_make_then_no_task_is_named_as_its_place() -> None:
    app = Celery("shop", set_as_current=False)

    @app.task(shared=False, name="shop.charge")
    def charge() -> None: ...

    subject = described(app)
    task = subject.task("shop.charge")
    assert subject.place_of("result_backend", task) == subject.place_of("delivery=at_least_once", task) == ""
    assert subject.place_of("task_acks_late", task) == task.place != ""
    subject.demanded_at = "assay.toml:3"
    assert subject.place_of("delivery=at_least_once", task) == "assay.toml:3"
