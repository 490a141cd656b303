"""Settings that nothing reads are claims that do not hold; those of other releases are told as such."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from celery import Celery
from celery.app.defaults import SETTING_KEYS
from targets import task

from assay.dead import BARE, INTENTS, SINCE, TRANSPORT, dead_claims
from assay.inspection import describe
from assay.inspection.sources import read_in
from assay.subject import Setting, Subject
from assay.verdict import Verdict


def subject(*settings: Setting) -> Subject:
    return Subject(
        app="shop",
        name="shop",
        tasks=[],
        settings=list(settings),
        queues=["celery"],
        default_queue="celery",
        create_missing_queues=True,
        pool="prefork",
        concurrency=2,
        versions={"celery": "5.6.3"},
    )


def test_a_setting_that_celery_reads_claims_nothing_here() -> None:
    assert dead_claims(subject(Setting("task_acks_late", True))) == []


@pytest.mark.parametrize("key", INTENTS)
def test_what_people_believe_in_is_told_with_what_does_it(key: str) -> None:
    (claim,) = dead_claims(subject(Setting(key, 3, known=False, place="shop.py:7")))
    assert claim.verdict is Verdict.VIOLATED
    assert claim.setting == f"{key}=3"
    assert claim.place == "shop.py:7"
    assert "5.6.3 has no such setting" in claim.observed
    assert claim.remedy == f"use {INTENTS[key][1]}"


def test_no_intent_is_a_setting_of_celery() -> None:
    assert not set(INTENTS) & set(SETTING_KEYS)


def test_a_setting_of_a_newer_release_is_told_with_that_release() -> None:
    (claim,) = dead_claims(subject(Setting("task_retry_on_worker_lost", True, known=False)))
    assert claim.remedy == "use Celery 5.7 or newer"


def test_settings_of_newer_releases_are_those_of_the_newest() -> None:
    newest = {key for keys in SINCE.values() for key in keys}
    if "task_retry_on_worker_lost" in SETTING_KEYS:
        assert newest <= set(SETTING_KEYS)
    else:
        assert set(SINCE["5.7"]).isdisjoint(SETTING_KEYS)


def test_a_misspelt_one_is_told_with_its_nearest_and_others_settings_are_left_alone() -> None:
    claims = dead_claims(
        subject(
            Setting("task_ack_late", True, known=False, nearest="task_acks_late"),
            Setting("my_own_key", 1, known=False),
        )
    )
    assert [claim.remedy for claim in claims] == ["use task_acks_late"]


@pytest.mark.parametrize("key", [*BARE, *TRANSPORT])
def test_what_is_given_without_its_prefix_or_as_a_setting_of_its_own_is_told_with_where_it_belongs(key: str) -> None:
    (claim,) = dead_claims(subject(Setting(key, 3, known=False)))
    assert claim.verdict is Verdict.VIOLATED
    assert claim.remedy == f"use {BARE.get(key) or f'broker_transport_options={{{key!r}: ...}}'}"


def test_what_belongs_elsewhere_is_no_setting_and_its_remedy_is_one() -> None:
    assert not set(BARE) & set(SETTING_KEYS)
    assert not set(TRANSPORT) & set(SETTING_KEYS)
    newer = {key for keys in SINCE.values() for key in keys}
    assert set(BARE.values()) <= {*SETTING_KEYS, *newer}


@pytest.mark.parametrize(
    ("given", "namespace", "remedy"),
    [
        ("CELERY_TASK_ACK_LATE", "CELERY", "use CELERY_TASK_ACKS_LATE"),
        ("CELERY_CONCURRENCY", "CELERY", "use CELERY_WORKER_CONCURRENCY"),
        ("CELERY_VISIBILITY_TIMEOUT", "CELERY", "use CELERY_BROKER_TRANSPORT_OPTIONS={'visibility_timeout': ...}"),
        ("CELERYD_MAX_TASK_PER_CHILD", "", "use CELERYD_MAX_TASKS_PER_CHILD"),
    ],
)
def test_a_remedy_is_spelt_as_the_configuration_spells_its_settings(
    given: str, namespace: str, remedy: str, tmp_path: Path
) -> None:
    app = Celery("shop", set_as_current=False)
    app.config_from_object({given: 1}, namespace=namespace or None)
    (claim,) = dead_claims(describe(app, "shop", str(tmp_path)))
    assert (claim.setting, claim.remedy) == (f"{given}=1", remedy)


READS = {
    "conf.py": "timeout = app.conf.socket_timeout",
    "by_key.py": "timeout = app.conf['socket_timeout']",
    "by_get.py": "timeout = app.conf.get('socket_timeout', 3)",
    "by_getattr.py": "timeout = getattr(app.conf, 'socket_timeout', 3)",
    "its_own.py": "socket_timeout = 3\noptions = {'socket_timeout': socket_timeout}",
    "below/views.py": "from config import socket_timeout\nconnect(socket_timeout)",
    "production.py": "from base import *\noptions = {'socket_timeout': socket_timeout}",
    "pydantic.py": "timeout = get_settings().socket_timeout",
    "transport.py": "app.conf.update(broker_transport_options={'socket_timeout': app.conf.socket_timeout})",
}
READS_NOT = {
    "assigned.py": "app.conf.socket_timeout = 3\napp.conf['socket_timeout'] = 3\nsocket_timeout: int = 3",
    "given.py": "app.conf.update(socket_timeout=3)\napp.conf.update({'socket_timeout': 3})",
    "said.py": "# reads app.conf.socket_timeout\nsay('socket_timeout')",
    "local.py": "def call():\n    socket_timeout = 3\n    return socket_timeout",
    "environment.py": "import os\nos.environ['socket_timeout'], os.environ.get('socket_timeout')",
    "handed_on.py": "socket_timeout = 3\napp.conf.update(socket_timeout=socket_timeout)",
    "handed_on_too.py": "app.conf.update({'socket_timeout': settings.socket_timeout})",
    "handed_on_once_more.py": "app.conf.socket_timeout = settings.socket_timeout",
    "test_conf.py": "assert app.conf.socket_timeout == 3",
    "tests/conf.py": "assert app.conf.socket_timeout == 3",
    ".#conf.py": "app.conf.socket_timeout",
    "of_another_thing.py": "args.socket_timeout, client['socket_timeout'], options.get('socket_timeout')",
    "of_another_python.py": "print app.conf.socket_timeout",
    "node_modules/conf.py": "app.conf.socket_timeout",
    "venv/conf.py": "app.conf.socket_timeout",
}


@pytest.mark.parametrize(("files", "claims"), [*(([name], 0) for name in READS), (list(READS_NOT), 1)])
def test_a_setting_that_the_app_reads_itself_is_its_own(files: list[str], claims: int, tmp_path: Path) -> None:
    for name in files:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text({**READS, **READS_NOT}[name])
    if "venv/conf.py" in files:
        (tmp_path / "venv" / "pyvenv.cfg").touch()
    app = Celery("shop", set_as_current=False)
    app.conf.socket_timeout = 3
    assert len(dead_claims(describe(app, "shop", str(tmp_path)))) == claims


def test_a_link_to_nothing_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "shop.py").symlink_to("me@host.1:2")
    app = Celery("shop", set_as_current=False)
    app.conf.socket_timeout = 3
    assert len(dead_claims(describe(app, "shop", str(tmp_path)))) == 1


def test_a_variable_of_the_same_name_elsewhere_is_another_thing(tmp_path: Path) -> None:
    (tmp_path / "celeryconfig.py").write_text("max_retries = 3\n")
    (tmp_path / "http.py").write_text("max_retries = 3\nsession = Session(max_retries=max_retries)\n")
    assert read_in(tmp_path, {"max_retries": "celeryconfig.py"}) == set()


def test_a_setting_of_a_package_that_is_loaded_is_the_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "venv/site-packages/scheduler.py"
    package.parent.mkdir(parents=True)
    package.write_text("uri = app.conf.get('database_uri')\n")
    monkeypatch.setitem(sys.modules, "scheduler", SimpleNamespace(__file__=str(package)))
    app = Celery("shop", set_as_current=False)
    app.conf.update(database_uri="sqlite://", database_zzz="sqlite://")
    (claim,) = dead_claims(describe(app, "shop", str(tmp_path)))
    assert claim.setting.startswith("database_zzz")
    assert claim.remedy == "use database_engine_options" or not claim.remedy.startswith("remove")


@pytest.mark.parametrize(("scheduler", "claims"), [("sqlalchemy_scheduler.Scheduler", 0), (None, 1)])
def test_what_may_be_a_schedulers_setting_is_judged_where_the_scheduler_is_celerys(
    scheduler: str | None, claims: int, tmp_path: Path
) -> None:
    app = Celery("shop", set_as_current=False)
    app.conf.update(beat_dburi="sqlite://", **({"beat_scheduler": scheduler} if scheduler else {}))
    assert len(dead_claims(describe(app, "shop", str(tmp_path)))) == claims


def test_a_namespaced_setting_that_the_app_reads_by_its_full_name_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text(
        "CELERY_VISIBILITY_TIMEOUT = 9\n"
        "CELERY_BROKER_TRANSPORT_OPTIONS = {'visibility_timeout': CELERY_VISIBILITY_TIMEOUT}\n"
    )
    app = Celery("shop", set_as_current=False)
    app.config_from_object({"CELERY_VISIBILITY_TIMEOUT": 9}, namespace="CELERY")
    assert dead_claims(describe(app, "shop", str(tmp_path))) == []


@pytest.mark.parametrize(("soft", "hard", "claims"), [(600, 570, 1), (600, 600, 1), (570, 600, 0), (600, None, 0)])
def test_a_soft_limit_that_is_not_before_the_hard_one_is_one_claim(soft: int, hard: int | None, claims: int) -> None:
    both = [task(name=name, soft_time_limit=float(soft), time_limit=hard and float(hard)) for name in ("a", "b")]
    found = dead_claims(msgspec.structs.replace(subject(Setting("task_soft_time_limit", soft)), tasks=both))
    assert len(found) == claims
    for claim in found:
        assert claim.setting == "task_soft_time_limit=600"
        assert claim.remedy.startswith(f"a soft limit below {hard} s")
        assert "a and 1 more" in claim.observed


@pytest.mark.parametrize(
    ("soft", "refused", "then"),
    [
        (600, False, "both come at the same moment"),
        (601, True, "Celery 5.6.3 refuses to publish it"),
        (601, False, "a prefork pool looks at it only when the soft one has passed"),
    ],
)
def test_what_becomes_of_a_late_soft_limit_is_told_of_this_release(soft: int, refused: bool, then: str) -> None:
    one = task(soft_time_limit=float(soft), time_limit=600.0, limits_refused=refused)
    (claim,) = dead_claims(msgspec.structs.replace(subject(), tasks=[one]))
    assert then in claim.observed


def test_which_limits_a_release_refuses_is_what_it_refuses() -> None:
    app = Celery("shop", set_as_current=False, broker="memory://")
    app.conf.update(task_soft_time_limit=20, task_time_limit=10)

    @app.task(shared=False, name="own", soft_time_limit=9, time_limit=8)
    def own() -> None: ...

    @app.task(shared=False, name="of_settings")
    def of_settings() -> None: ...

    app.finalize(auto=True)
    described = {one.name: one for one in describe(app, "shop", ".").tasks}  # and what other tests share with all apps
    for one in (described["own"], described["of_settings"]):
        try:
            app.tasks[one.name].apply_async()
        except ValueError:
            assert one.limits_refused
        else:
            assert not one.limits_refused


ROUTES: list[Any] = [
    lambda key: {key: {"queue": "own"}},
    lambda key: {key: "own"},
    lambda key: ([(key, {"queue": "own"})],),
    lambda key: ([(re.compile(r"shop\..*"), {"queue": "x"}), (key, {"queue": "own"})],),
]


def routed(routes: Any) -> Subject:
    app = Celery("shop", set_as_current=False)
    app.conf.task_routes = routes

    @app.task(shared=False, name="shop.charge")
    def charge() -> None: ...

    app.finalize(auto=True)
    return describe(app, "shop", str(Path(__file__).parent))


@pytest.mark.parametrize("routes", ROUTES)
@pytest.mark.parametrize(
    ("name", "remedy"),
    [("shop.zz_typo", "name a registered task"), ("shop.chagre", "use shop.charge"), ("shp.charge", "use shop.charge")],
)
def test_given_a_route_by_a_name_that_no_task_has_then_it_is_a_claim_that_cannot_hold(
    routes: Any, name: str, remedy: str
) -> None:
    (claim,) = dead_claims(routed(routes(name)))
    assert claim.verdict is Verdict.VIOLATED
    assert claim.setting == f"task_routes['{name}']"
    assert claim.remedy.startswith(remedy)
    assert claim.place.startswith("test_dead.py:")


@pytest.mark.parametrize("routes", ROUTES)
@pytest.mark.parametrize("name", ["shop.charge", "celery.backend_cleanup", "shop.zz_*"])
def test_given_a_route_by_a_registered_name_or_a_pattern_then_it_claims_nothing_here(routes: Any, name: str) -> None:
    assert dead_claims(routed(routes(name))) == []


def test_given_a_route_for_another_apps_task_then_it_is_told_and_not_judged() -> None:
    subject = routed({"billing.invoices.send": {"queue": "billing"}})
    assert dead_claims(subject) == []
    assert [said for said in subject.warnings if "billing.invoices.send, which is no task of this app" in said]
