"""Input that cannot be used: one clear message on stderr, no traceback, exit code 2, and nothing is left running."""

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from django_site import DJANGO
from leftovers import assay

from assay.broker import start
from assay.process import Supervisor

FINE = """
from celery import Celery
app = Celery("fine", broker="redis://localhost:6379/0")
@app.task
def work(): return 1
"""
Told = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    (made / "fine.py").write_text(FINE)
    return made


@pytest.fixture
def refused(folder: Path, tmp_path: Path) -> Told:
    """The message of a call that must be refused as the user's to mend."""

    def call(*arguments: str, code: int = 2) -> str:
        status, out, err = assay(*arguments, cwd=folder, tmp=tmp_path)
        assert status == code, f"exit {status}\n{out}\n{err}"
        assert "Traceback" not in err
        assert not out
        said = [line for line in err.splitlines() if line.startswith("assay: ")]
        assert len(said) == 1, err
        return err[err.index("assay: ") :].strip()

    return call


def test_given_no_such_module_then_it_is_named_with_the_places_looked_at(refused: Told, folder: Path) -> None:
    said = refused("run", "-A", "nowhere:app")
    assert "no module 'nowhere'" in said
    assert str(folder) in said


@pytest.mark.parametrize("pool", ["gevent", "shop.pools:Own"])
def test_given_a_pool_that_a_run_does_not_know_then_it_is_named_with_those_that_it_knows(
    refused: Told, folder: Path, pool: str
) -> None:
    (folder / "green.py").write_text(f"{FINE}\napp.conf.worker_pool = {pool!r}\n")
    said = refused("run", "-A", "green:app")
    assert f"worker_pool is {pool}, and a run knows prefork, solo, threads: say with --pool" in said


def test_given_a_redis_client_that_is_too_old_for_kombu_then_that_is_told_before_the_run(
    refused: Told, folder: Path
) -> None:
    (folder / "old.py").write_text(f"import redis\n\nredis.VERSION = (3, 1, 0)\n{FINE}\n")
    said = refused("run", "-A", "old:app")
    assert "old:app cannot use Redis, which the run's broker is: Redis transport requires redis-py" in said
    assert "pip install 'kombu[redis]'" in said


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("tasks = 'fine.wrok'", "assay.toml:1: contract: no task is named fine.wrok; did you mean fine.work?"),
        (
            "tasks = 'fine.*'\nattempts = 1",
            "assay.toml:1: the contract of fine.work contradicts itself: recovery_s=9 ",
        ),
    ],
)
def test_given_a_contract_of_no_task_or_against_itself_then_its_line_is_told(
    refused: Told, folder: Path, lines: str, said: str
) -> None:
    (folder / "assay.toml").write_text(f"[[contract]]\n{lines}\nrecovery_s = 9\n")
    assert said in refused("run", "-A", "fine:app")


def test_given_no_such_attribute_then_it_is_named(refused: Told) -> None:
    assert "nothing" in refused("run", "-A", "fine:nothing")


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ("fine.py", "-A fine"),
        ("./fine.py:app", "-A fine:app"),
        ("sub/fine.py", "-A fine --workdir sub"),
        (":app", "-A"),
    ],
)
def test_given_a_file_for_a_module_then_the_module_is_told(refused: Told, given: str, right: str) -> None:
    said = refused("run", "-A", given)
    assert f"-A {given} names " in said
    assert right in said.removeprefix(f"assay: -A {given}")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("app.config_from_object('no.such.module')", "its configuration cannot be read: "),
        ("app.config_from_object('django.conf:settings', namespace='CELERY')", "DJANGO_SETTINGS_MODULE"),
        (
            "app.conf.task_time_limit = 'many'",
            "task_time_limit='many' (lazy.py:7) cannot be used: Celery wants a number",
        ),
        ("app.conf.broker_transport_options = 'x'", "broker_transport_options='x' (lazy.py:7) cannot be used: "),
        (
            "app.conf.broker_transport_options = {'visibility_timeout': '1h'}",
            "assay: broker_transport_options with visibility_timeout='1h' (lazy.py:7) cannot be used: kombu wants",
        ),
        (
            "app.conf.broker_url = 'redsi://me:secret@localhost'",
            "assay: broker_url=redsi://... (lazy.py:7) cannot be used: No such transport: redsi. ",
        ),
        (
            "app.conf.result_backend = 'redsi://me:secret@localhost'",
            "assay: result_backend=redsi://... (lazy.py:7) cannot be used: No module named 'redsi'",
        ),
        (
            "app.conf.result_backend = 'redis:/me:secret@localhost'",
            "assay: result_backend (lazy.py:7) cannot be used: it cannot be read as a backend's name or address",
        ),
        (
            "from django.conf import settings; settings.configure(); app.conf.result_backend = 'django-db'",
            "assay: result_backend=django-db (lazy.py:7) cannot be used: ",
        ),
    ],
)
def test_given_a_configuration_that_cannot_be_used_then_it_is_the_users_to_mend(
    refused: Told, folder: Path, lines: str, said: str
) -> None:
    if "django" in lines:
        pytest.importorskip("django")
    (folder / "lazy.py").write_text(f"{FINE}\n{lines}\n")
    told = refused("run", "-A", "lazy:app")
    assert said in told
    assert "result_expires" not in told, "that is Celery's own default"
    assert "secret" not in told


def test_given_an_app_that_raises_at_import_then_the_error_and_its_line_are_told(refused: Told, folder: Path) -> None:
    (folder / "raises.py").write_text("import os\nraise ValueError('no such region')\n")
    said = refused("run", "-A", "raises:app")
    assert "ValueError" in said
    assert "no such region" in said
    assert "raises.py:2" in said


def test_given_an_app_that_leaves_at_import_then_that_is_told(refused: Told, folder: Path) -> None:
    (folder / "leaves.py").write_text("import os\nos._exit(7)\n")
    said = refused("run", "-A", "leaves:app")
    assert "leaves" in said
    assert "status 7" in said


def test_given_a_syntax_error_then_its_place_is_told(refused: Told, folder: Path) -> None:
    (folder / "wrong.py").write_text("def (:\n")
    said = refused("run", "-A", "wrong:app")
    assert said.endswith(f"SyntaxError: invalid syntax ({folder / 'wrong.py'}:1)")
    (folder / "outer.py").write_text("import os\nimport wrong\n")
    assert refused("run", "-A", "outer:app").endswith(f"SyntaxError: invalid syntax ({folder / 'wrong.py'}:1)")


def test_given_something_that_is_no_app_then_its_type_is_told(refused: Told, folder: Path) -> None:
    (folder / "number.py").write_text("app = 3\n")
    assert "not a Celery app" in refused("run", "-A", "number:app")


def test_given_an_app_without_tasks_then_the_likely_reason_is_told(refused: Told, folder: Path) -> None:
    (folder / "empty.py").write_text("from celery import Celery\napp = Celery('empty')\n")
    said = refused("run", "-A", "empty:app")
    assert "has no tasks of its own" in said
    assert "autodiscover_tasks" in said


def test_given_an_app_whose_worker_does_not_start_then_that_is_told_once(refused: Told, folder: Path) -> None:
    stops = "@celery.signals.worker_init.connect\ndef init(**_): raise SystemExit('no licence')\n"
    (folder / "stops.py").write_text(f"import celery.signals\n{FINE}{stops}")
    said = refused("run", "-A", "stops:app", "--suite", "acks_late")
    assert "a worker of stops:app does not start" in said
    assert "no licence" in said


def test_given_a_misspelt_broker_then_the_nearest_is_told(refused: Told) -> None:
    assert "fakeredis" in refused("run", "-A", "fine:app", "--broker", "fakredis")


def test_given_a_broker_address_of_an_unknown_kind_then_that_is_told(refused: Told) -> None:
    assert "carrier://" in refused("run", "-A", "fine:app", "--broker", "carrier://pigeon")


def test_given_a_broker_that_refuses_then_its_address_is_told_without_the_password(refused: Told) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = refused("run", "-A", "fine:app", "--broker", f"redis://:tiger@127.0.0.1:{port}/0")
    assert str(port) in said
    assert "tiger" not in said


def test_given_a_broker_whose_host_is_unknown_then_it_is_named(refused: Told) -> None:
    assert "no-such-host.invalid" in refused("run", "-A", "fine:app", "--broker", "redis://no-such-host.invalid/0")


@pytest.fixture
def somebodys() -> Iterator[str]:
    """The address of a broker that is not the run's."""
    with Supervisor() as supervisor:
        broker = start("fakeredis", supervisor.folder / "theirs", supervisor.spawn)
        yield broker.url(0)
        broker.stop()


def test_given_a_database_with_foreign_keys_then_it_is_refused_and_untouched(refused: Told, somebodys: str) -> None:
    with redis.Redis.from_url(somebodys) as client:
        client.set("payroll", "important")
        said = refused("run", "-A", "fine:app", "--broker", somebodys)
        assert client.keys() == [b"payroll"]
        assert client.get("payroll") == b"important"
    assert "payroll" in said or "1 key" in said


def test_given_an_unknown_suite_scenario_or_task_then_the_nearest_is_told(refused: Told) -> None:
    early = [
        refused("run", "-A", "fine:app", "--suite", "routeing"),
        refused("run", "-A", "fine:app", "--scenario", "child_kiled"),
        refused("chaos", "-A", "fine:app", "--faults", "broker-restarted"),
    ]
    assert [said.rpartition("; ")[2] for said in early] == [
        "did you mean routing?",
        "did you mean child_killed_*?",
        "use --broker redis or rabbitmq",
    ]
    assert "child_killed_middle" in refused("run", "-A", "fine:app", "--scenario", "child_kiled_middle")
    assert "fine.work" in refused("run", "-A", "fine:app", "--task", "fine.wrok")


def test_given_an_unknown_key_in_the_configuration_then_the_nearest_is_told(refused: Told, folder: Path) -> None:
    (folder / "assay.toml").write_text('app = "fine:app"\nbrokr = "redis"\n')
    said = refused("run")
    assert "brokr" in said
    assert "did you mean broker" in said


KNOWN = '[[known]]\nscenario = "acks_late.*"\ntask = "fine.wrk"\nreason = "x"\nupstream = "y"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('queues = ["celry"]\n', "queues: no task of fine:app goes to celry, *; did you mean celery?"),
        (KNOWN, "known: acks_late.*: fine:app has no task fine.wrk; did you mean fine.work?"),
    ],
)
@pytest.mark.parametrize("command", ["run", "chaos"])
def test_given_a_name_in_the_configuration_that_the_app_lacks_then_it_is_told_before_the_run(
    refused: Told, folder: Path, command: str, text: str, told: str
) -> None:
    (folder / "assay.toml").write_text(text)
    said = refused(command, "-A", "fine:app")
    for part in told.split("*; "):
        assert part in said


def test_given_no_app_then_how_to_name_one_is_told(refused: Told) -> None:
    assert "-A APP" in refused("run")


def test_given_a_workdir_that_is_no_folder_then_that_is_told(refused: Told) -> None:
    assert "not a folder" in refused("run", "-A", "fine:app", "--workdir", "fine.py")


def test_given_a_run_folder_that_is_not_empty_then_it_is_not_overwritten(refused: Told, folder: Path) -> None:
    (folder / "kept").mkdir()
    (folder / "kept" / "thesis.txt").write_text("years of work")
    assert "not empty" in refused("run", "-A", "fine:app", "--out", "kept")
    assert (folder / "kept" / "thesis.txt").read_text() == "years of work"


FULL = """
import os, resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(os.environ["MOST"]),) * 2)
sys.argv[0] = "assay"
runpy.run_module("assay", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("most", ["1000", "20000"])
def test_given_a_disk_that_takes_no_more_then_that_is_told(folder: Path, tmp_path: Path, most: str) -> None:
    """Before the first scenario, and in the middle of one."""
    (folder / "full.py").write_text(FULL)
    wanted = ("run", "-A", "fine:app", "--scenario", "child_killed_middle", "--out", "out")
    status, _, err = assay(*wanted, cwd=folder, tmp=tmp_path, env={"MOST": most}, program=("full.py",))
    assert status == 4, err
    assert "cannot be written: File too large; make room, or name another folder by --out" in err
    assert "defect" not in err
    assert "Traceback" not in err


def test_given_a_stdout_that_is_full_then_that_is_told(folder: Path, tmp_path: Path) -> None:
    (folder / "full.py").write_text("import sys\nsys.stdout = open('/dev/full', 'w')\n" + FULL)
    env = {"MOST": "-1"}
    status, _, err = assay("list", "suites", cwd=folder, tmp=tmp_path, env=env, program=("full.py",))
    assert (status, err) == (2, "assay: /dev/full cannot be written: No space left on device\n")


def test_given_a_model_without_its_migration_then_the_model_is_named(refused: Told, folder: Path) -> None:
    for name, text in DJANGO.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    said = refused("run", "-A", "site_app:app")
    assert "migration" in said
    assert "shop" in said
    assert "makemigrations" in said


def test_given_a_migration_that_sqlite_does_not_understand_then_its_error_and_a_way_out_are_told(
    refused: Told, folder: Path
) -> None:
    operation = "migrations.RunSQL('CREATE EXTENSION hstore')"
    migration = f"class Migration(migrations.Migration):\n    operations = [{operation}]\n"
    files = {"shop/migrations/0001_initial.py": f"from django.db import migrations\n{migration}"}
    for name, text in (DJANGO | files).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    said = refused("run", "-A", "site_app:app")
    assert 'near "EXTENSION": syntax error' in said
    assert "do nothing where schema_editor.connection.vendor is 'sqlite'" in said


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with one scenario in it."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "fine.py").write_text(FINE)
    wanted = ["--scenario", "unknown_task", "--out", "run"]
    status, out, err = assay("run", "-A", "fine:app", *wanted, cwd=folder, tmp=folder)
    assert status == 0, f"{out}\n{err}"
    return folder / "run"


@pytest.fixture
def damaged(finished: Path, folder: Path) -> Path:
    """A copy, to be damaged."""
    return Path(shutil.copytree(finished, folder / "damaged"))


def test_given_the_folder_of_a_run_then_it_is_judged_again_alike(finished: Path, folder: Path, tmp_path: Path) -> None:
    status, _, err = assay("check", str(finished), "--json", "again.json", cwd=folder, tmp=tmp_path)
    assert status == 0, err
    first, again = (json.loads(p.read_text())["results"] for p in (finished / "report.json", folder / "again.json"))
    assert [(row["scenario"], row["verdict"], row["reason"]) for row in first] == [
        (row["scenario"], row["verdict"], row["reason"]) for row in again
    ]


def test_given_no_run_folder_then_check_tells_it(refused: Told, folder: Path) -> None:
    assert "nothing-here" in refused("check", "nothing-here")
    assert str(folder) in refused("check", str(folder))


@pytest.mark.parametrize("content", ["", "{", '{"subject": 3}', "[]", "\x00\xff"])
def test_given_damaged_facts_then_the_file_is_named(refused: Told, damaged: Path, content: str) -> None:
    (damaged / "facts.json").write_bytes(content.encode("latin-1"))
    assert "facts.json" in refused("check", str(damaged))


@pytest.mark.parametrize("content", ["", "{", '{"suite": 3}'])
def test_given_a_damaged_case_then_the_file_is_named(refused: Told, damaged: Path, content: str) -> None:
    case = next(damaged.glob("cases/*/*.json"))
    case.write_text(content)
    assert case.name in refused("check", str(damaged))


def test_given_damaged_events_then_check_tells_it_rather_than_judge_half(refused: Told, damaged: Path) -> None:
    events = max(damaged.glob("cases/*/events/*"), key=os.path.getsize)
    data = events.read_bytes().partition(b"\0")[0]
    events.write_bytes(data[: len(data) // 2] + b"garbage\n" + data[len(data) // 2 :])
    assert events.name in refused("check", str(damaged))


LATE = """
app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True)
"""


@pytest.fixture(scope="module")
def violated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder whose case was done twice, which was demanded not to be."""
    folder = tmp_path_factory.mktemp("violated")
    (folder / "late.py").write_text(FINE + LATE)
    (folder / "assay.toml").write_text('delivery = "effectively_once"\n')
    wanted = ["--scenario", "child_killed_exit", "--out", "run"]
    status, out, err = assay("run", "-A", "late:app", *wanted, cwd=folder, tmp=folder)
    assert status == 1, f"{out}\n{err}"
    return folder / "run"


def cut(path: Path) -> None:
    data = path.read_bytes().partition(b"\0")[0]
    path.write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize("damage", [cut, Path.unlink])
def test_given_a_violated_run_without_what_a_child_recorded_then_it_is_not_held(
    refused: Told, violated: Path, folder: Path, damage: Callable[[Path], None]
) -> None:
    copy = Path(shutil.copytree(violated, folder / "copy"))
    doubled = [path for path in copy.glob("cases/*/events/*.jsonl") if b'"attempt_started"' in path.read_bytes()]
    assert len(doubled) == 2
    for file in doubled:
        kept = file.read_bytes()
        damage(file)
        said = refused("check", str(copy))
        assert f"{file.name} {'holds' if damage is cut else 'is missing'}" in said
        assert "copy all of it again from where it was run, or run again" in said
        file.write_bytes(kept)
    status, _, err = assay("check", str(copy), cwd=folder, tmp=folder)
    assert status == 1, err


def test_given_a_held_run_without_the_events_of_a_case_then_no_setting_is_blamed(refused: Told, damaged: Path) -> None:
    (events,) = damaged.glob("cases/*/events")
    for file in events.iterdir():
        file.write_bytes(b"")
    assert "bytes of events that the run has judged (not whole either: " in refused("check", str(damaged))
    shutil.rmtree(events)
    assert f"{events.parent.name}/events/" in refused("check", str(damaged))


def test_given_a_run_without_its_canary_then_nothing_is_said_of_it(refused: Told, damaged: Path) -> None:
    shutil.rmtree(damaged / "canary")
    assert "canary/case.json is missing" in refused("check", str(damaged))
