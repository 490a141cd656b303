"""Settings: found, read, overridden, and refused with one message that names file, key and remedy."""

from datetime import date, datetime
from pathlib import Path

import pytest

from assay.errors import UsageError
from assay.settings import LiveCall, Settings, find, load

NOW = datetime(2026, 11, 23, 10, 15, 30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path.resolve()


def loaded(folder: Path, text: str = "", name: str = "assay.toml", **options: object) -> Settings:
    (folder / name).write_text(text, encoding="utf-8")
    return load(options, cwd=folder, now=NOW)


def test_without_a_file_the_current_folder_and_the_defaults_are_used(folder: Path) -> None:
    settings = load({"app": "shop"}, cwd=folder, now=NOW)

    assert (settings.workdir, settings.out) == (folder, folder / "assay-runs/20261123-101530")
    assert (settings.broker, settings.pool, settings.bodies, settings.delivery) == (
        "fakeredis",
        "",
        "hollow",
        "inferred",
    )
    assert settings.jobs >= 1


def test_every_key_of_a_file_is_read(folder: Path) -> None:
    (folder / "src").mkdir()
    settings = loaded(
        folder,
        """
        app = "shop.celery:app"
        workdir = "src"
        django_settings = "shop.settings"
        suites = ["acks_*"]
        tasks = ["shop.*", "任务.*"]
        broker = "redis"
        pool = "threads"
        concurrency = 4
        jobs = 3
        out = "runs/{time}"
        delivery = "at_least_once"
        each_task = true
        cold = true
        bodies = "live"
        [env]
        DEBUG = "1"
        [live."shop.charge"]
        args = [1, "a"]
        kwargs = { currency = "EUR" }
        [[known]]
        scenario = "acks_late.cold_*"
        task = "shop.*"
        reason = "Celery loses it"
        upstream = "celery#1"
        expires = 2026-12-31
        """,
    )

    assert (settings.app, settings.workdir, settings.django_settings) == (
        "shop.celery:app",
        folder / "src",
        "shop.settings",
    )
    assert (settings.suites, settings.tasks) == (("acks_*",), ("shop.*", "任务.*"))
    assert (settings.broker, settings.pool, settings.concurrency, settings.jobs) == ("redis", "threads", 4, 3)
    assert settings.out == folder / "runs/20261123-101530"
    assert (settings.delivery, settings.each_task, settings.cold, settings.bodies) == (
        "at_least_once",
        True,
        True,
        "live",
    )
    assert settings.env == {"DEBUG": "1"}
    assert settings.live == {"shop.charge": LiveCall([1, "a"], {"currency": "EUR"})}
    assert (settings.known[0].scenario, settings.known[0].expires) == ("acks_late.cold_*", date(2026, 12, 31))


def test_the_command_line_overrides_the_file(folder: Path) -> None:
    settings = loaded(folder, 'app = "a"\nbroker = "redis"\njobs = 3', broker="fakeredis", jobs=None)

    assert (settings.app, settings.broker, settings.jobs) == ("a", "fakeredis", 3)


def test_paths_in_a_file_are_relative_to_it_and_options_to_the_current_folder(folder: Path) -> None:
    here = folder / "deep/er"
    here.mkdir(parents=True)
    (folder / "assay.toml").write_text('out = "run"')

    assert load({}, cwd=here, now=NOW).out == folder / "run"
    assert load({}, cwd=here, now=NOW).workdir == folder
    assert load({"out": "run"}, cwd=here, now=NOW).out == here / "run"


def test_a_pyproject_without_our_table_is_passed_by(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100")
    (folder / "pyproject.toml").write_text('[tool.assay]\napp = "outer"')

    assert load({}, cwd=inner, now=NOW).app == "outer"


def test_assay_toml_wins_beside_a_pyproject_and_says_so(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.assay]\napp = "shared"')
    settings = loaded(folder, 'app = "own"')

    assert settings.app == "own"
    assert len(settings.notes) == 1
    assert "pyproject.toml beside it is ignored" in settings.notes[0]


def test_a_named_file_is_used_and_nothing_is_looked_for(folder: Path) -> None:
    (folder / "assay.toml").write_text('app = "nearest"')
    other = folder / "other"
    other.mkdir()
    (other / "ci.toml").write_text('app = "named"')

    settings = load({}, cwd=folder, config=other / "ci.toml", now=NOW)

    assert (settings.app, settings.workdir) == ("named", other)
    assert find(folder) == (folder / "assay.toml", [])


def test_a_configuration_that_is_a_folder_is_not_passed_by(folder: Path) -> None:
    (folder / "assay.toml").mkdir()
    with pytest.raises(UsageError, match=f"^{folder}/assay.toml is a folder, and the configuration is a file"):
        find(folder)


def test_an_expired_known_finding_is_told(folder: Path) -> None:
    entry = '[[known]]\nscenario = "retries.spacing"\nreason = "r"\nupstream = "u"\nexpires = '

    assert loaded(folder, entry + "2026-11-23").notes == ()
    assert "expired" in loaded(folder, entry + "2026-11-22").notes[0]


KNOWN = '[[known]]\nscenario = "{}"\nreason = "r"\nupstream = "u"'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("broker_ = 1", "unknown key broker_; did you mean broker?"),
        ("zzz = 1", "unknown key zzz; known are app, workdir"),
        ("jobs = 'two'", "jobs: expected int, got str"),
        ("jobs = 0", "jobs: expected int >= 1"),
        ("jobs = true", "jobs: expected int, got bool"),
        ("tasks = 'shop.*'", "tasks: expected a list, got str"),
        ("tasks = ['a', 1]", "tasks[1]: expected str, got int"),
        ("pool = 'gevent'", "pool: invalid enum value 'gevent'"),
        ("delivery = 'twice'", "delivery: invalid enum value 'twice'; there are inferred, at_least_once,"),
        ("each_task = 'yes'", "each_task: expected bool, got str"),
        ("workdir = 3", "workdir: expected str, got int"),
        ("workdir = 'nowhere'", "nowhere is not a folder"),
        ("broker = 'fakredis'", "unknown broker fakredis; did you mean fakeredis?"),
        ("broker = 'xyz'", "unknown broker xyz; say fakeredis, redis, rabbitmq or an address"),
        ("env = { A = 1 }", "env[...]: expected str, got int"),
        ("live = { a = { arg = [] } }", "live[...]: object contains unknown field arg"),
        ("live = { a = 1 }", "live[...]: expected object, got int"),
        ("[[known]]\nscenario = 'a.b'", "known[0]: object missing required field reason"),
        (
            "[[known]]\nscenario = 'retries.spacing'\nreason = ' '\nupstream = 'u'",
            "reason and upstream must say something",
        ),
        (KNOWN.format("*"), "would hide every violation"),
        (KNOWN.format("*.?*"), "would hide every violation"),
        (KNOWN.format("acks_late.quit_shutdown"), "no scenario is named acks_late.quit_shutdown; did you mean acks_l"),
        (KNOWN.format("spacing"), "no scenario is named spacing; did you mean retries.spacing?"),
        (KNOWN.format("zzz.*"), "no scenario is named zzz.*; `assay list scenarios` names them"),
        ("known = 'all'", "known: expected a list, got str"),
        ("[[known]]\nexpires = 'soon'", "known[0].expires: it must be a date such as 2026-12-31"),
        ("notes = []", "unknown key notes"),
        ("app = ", "is not valid TOML"),
    ],
)
def test_a_bad_file_gives_one_message_that_names_file_and_key(folder: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        loaded(folder, text)

    message = str(caught.value)
    assert told in message
    assert "\n" not in message.removesuffix("\n")
    if "broker" not in text or "broker_" in text:
        assert str(folder / "assay.toml") in message


@pytest.mark.parametrize(("processors", "jobs"), [(1, 6), (2, 12), (3, 16), (64, 16)])
def test_jobs_are_six_for_each_processor_and_not_more_than_help(
    folder: Path, monkeypatch: pytest.MonkeyPatch, processors: int, jobs: int
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(processors)))

    assert load({}, cwd=folder).jobs == jobs
    assert load({"jobs": 40}, cwd=folder).jobs == 40


@pytest.mark.parametrize(("out", "timed"), [(None, True), ("runs/{time}", True), ("there", False)])
def test_a_folder_that_is_named_by_the_time_is_known_as_such(folder: Path, out: str | None, timed: bool) -> None:
    assert load({"out": out}, cwd=folder).out_timed is timed


def test_files_that_cannot_be_read_give_one_message(folder: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        load({}, cwd=folder, config=folder / "missing.toml", now=NOW)
    (folder / "assay.toml").write_bytes(b"app = '\xff'")
    with pytest.raises(UsageError, match="is not valid TOML"):
        load({}, cwd=folder, now=NOW)


def test_a_table_that_is_none_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"tool\.assay must be a table"):
        loaded(folder, "[tool]\nassay = 3", name="pyproject.toml")


@pytest.mark.parametrize(("value", "quits"), [("SIGQUIT", True), ("", False), ("SIGINT", False)])
def test_celery_s_own_variable_makes_sigterm_a_cold_shutdown(
    monkeypatch: pytest.MonkeyPatch, value: str, quits: bool
) -> None:
    monkeypatch.setenv("REMAP_SIGTERM", value)
    assert Settings(app="shop", workdir=Path(), out=Path()).sigterm_quits is quits
    assert Settings(app="shop", workdir=Path(), out=Path(), env={"REMAP_SIGTERM": "SIGQUIT"}).sigterm_quits


def test_given_a_demand_in_a_file_then_its_line_is_known_and_not_that_of_an_option(folder: Path) -> None:
    assert loaded(folder, 'app = "shop"\ndelivery = "at_least_once"\n').demanded_at == "assay.toml:2"
    assert loaded(folder, 'delivery = "at_least_once"\n', delivery="at_most_once").demanded_at == ""
    (folder / "src").mkdir()
    assert loaded(folder, 'workdir = "src"\ndelivery = "at_least_once"\n').demanded_at == "../assay.toml:2"
    (folder / "assay.toml").unlink()
    shared = 'delivery = "another key"\n[tool.assay]\ndelivery = "at_least_once"\n'
    assert loaded(folder, shared, "pyproject.toml").demanded_at == "pyproject.toml"
