"""Changes of settings become a diff of the sources, in the form in which the sources give them."""

import subprocess
from pathlib import Path

import pytest
from targets import subject, task

from assay.audit.finding import Change
from assay.audit.patch import patch
from assay.subject import Setting

KEYWORDS = """app.conf.update(
    task_time_limit=600,  # 十分钟
    task_routes={
        "a": {"queue": "b"},
    },
    task_max_retries=3,
)
"""
DICT = """SETTINGS = {
    "task_time_limit": 600,
    "task_max_retries": 3,
}
"""
NAMESPACE = """CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_MAX_RETRIES = 3
"""
ATTRIBUTES = """app.conf.task_time_limit = 600
app.conf.task_max_retries = 3
"""
FORMS = {
    "keywords": (KEYWORDS, 2, 6, "", "    task_acks_late=True,"),
    "dict": (DICT, 2, 3, "", '    "task_acks_late": True,'),
    "namespace": (NAMESPACE, 1, 2, "CELERY_", "CELERY_TASK_ACKS_LATE = True"),
    "attributes": (ATTRIBUTES, 1, 2, "", "app.conf.task_acks_late = True"),
}
CHANGES = [Change("task_time_limit", "90"), Change("task_max_retries"), Change("task_acks_late", "True")]


def given(key: str, line: int, prefix: str, *, known: bool = True) -> Setting:
    return Setting(key, 1, known, f"conf.py:{line}", f"{prefix}{key.upper()}" if prefix else "")


@pytest.mark.parametrize("form", FORMS)
def test_given_a_form_then_settings_are_changed_taken_out_and_added_in_it(tmp_path: Path, form: str) -> None:
    source, limit, retries, prefix, added = FORMS[form]
    (tmp_path / "conf.py").write_text(source, encoding="utf-8")
    settings = (given("task_time_limit", limit, prefix), given("task_max_retries", retries, prefix, known=False))
    spelling = {each.setting: f"{prefix}{each.setting.upper()}" for each in CHANGES if prefix}
    diff, left = patch(CHANGES, subject(task(), settings=settings, spelling=spelling), tmp_path)
    assert left == []
    subprocess.run(["patch", "-p1", "-s"], cwd=tmp_path, input=diff, text=True, check=True)
    lines = (tmp_path / "conf.py").read_text(encoding="utf-8").splitlines()
    compile("\n".join(lines), "conf.py", "exec")
    assert added in lines
    assert not [line for line in lines if "MAX_RETRIES" in line.upper()]
    assert [line for line in lines if "90" in line and "TIME_LIMIT" in line.upper()]
    assert len(lines) == len(source.splitlines()), "one was taken out, and one added"
    assert ("# 十分钟" in "\n".join(lines)) == (form == "keywords")


def test_given_a_value_of_several_lines_then_all_of_it_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text(KEYWORDS, encoding="utf-8")
    diff, _ = patch([Change("task_routes", "{}")], subject(task(), settings=(given("task_routes", 3, ""),)), tmp_path)
    assert [line for line in diff.splitlines() if line[:1] in "+-"][2:] == [
        "-    task_routes={",
        '-        "a": {"queue": "b"},',
        "-    },",
        "+    task_routes={},",
    ]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("app.conf.update(task_max_retries=3, task_time_limit=60)\n", 1),
        ("app.conf.update(**{name: 3 for name in names})\n", 1),
        ("app.conf.update(\n", 1),
        ("if DEBUG:\n    app.conf.task_max_retries = 3\n", 2),
        ("class Dev:\n    task_max_retries = 3\nclass Prod:\n    task_max_retries = 3\n", 2),
        ("app.conf.task_max_retries = 3", 1),
        ("app.conf.task_max_retries = 3\r\n", 1),
        ("app.conf.task_max_retries = 3  # \n", 7),
        ('app.conf.task_max_retries = 3; app.conf.broker_url = "redis://"\n', 1),
    ],
)
def test_given_a_place_that_cannot_be_edited_safely_then_the_change_is_left_to_a_person(
    tmp_path: Path, source: str, line: int
) -> None:
    (tmp_path / "conf.py").write_bytes(source.encode())
    change = Change("task_max_retries")
    found = patch([change], subject(task(), settings=(given("task_max_retries", line, ""),)), tmp_path)
    assert found == ("", [change])


def test_given_an_app_without_places_then_all_is_left_to_a_person(tmp_path: Path) -> None:
    assert patch(CHANGES, subject(task()), tmp_path) == ("", CHANGES)


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("app.conf.update(task_time_limit=600)\n", 1),
        ('app.conf.update({"task_time_limit": 600})\n', 1),
        ("app.conf.update(\n    task_time_limit=600\n)\n", 2),
        ("app.conf.update(\n    task_time_limit=600, timezone='UTC',\n)\n", 2),
        ("if DEBUG:\n    task_time_limit = 600\n", 2),
    ],
)
def test_given_a_neighbour_behind_which_nothing_can_be_put_safely_then_an_addition_is_left_to_a_person(
    tmp_path: Path, source: str, line: int
) -> None:
    (tmp_path / "conf.py").write_text(source)
    change = Change("task_acks_late", "True")
    app = subject(task(), settings=(given("task_time_limit", line, ""),))
    assert patch([change], app, tmp_path) == ("", [change])


OLD = {"task_acks_late": "CELERY_ACKS_LATE", "task_time_limit": "CELERYD_TASK_TIME_LIMIT"}


def test_given_old_names_then_an_addition_has_its_old_name(tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text('CELERY_RESULT_BACKEND = "rpc://"\n')
    old = Setting("result_backend", "rpc://", True, "conf.py:1", "CELERY_RESULT_BACKEND")
    app = subject(task(), settings=(old,), spelling={**OLD, old.key: old.given})
    diff, left = patch([Change("task_time_limit", "60")], app, tmp_path)
    assert ("+CELERYD_TASK_TIME_LIMIT = 60\n" in diff, left) == (True, [])


def test_given_an_old_name_in_a_namespace_then_nothing_is_spelt_after_it(tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text("CELERY_ACKS_LATE = True\n")
    old = Setting("task_acks_late", True, True, "conf.py:1", "CELERY_ACKS_LATE")
    app = subject(task(), settings=(old,), spelling={key: f"CELERY_{key.upper()}" for key in OLD})
    change = Change("task_time_limit", "60")
    assert patch([change], app, tmp_path) == ("", [change])


def test_given_a_secret_beside_a_setting_then_the_diff_does_not_show_it(tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text('SECRET_KEY = "hunter2"\nother = 1\ntask_time_limit = 600\n')
    app = subject(task(), settings=(given("task_time_limit", 3, ""),))
    diff, left = patch([Change("task_time_limit", "90")], app, tmp_path)
    assert left == []
    assert "hunter2" not in diff
    subprocess.run(["patch", "-p1", "-s"], cwd=tmp_path, input=diff, text=True, check=True)
    assert "task_time_limit = 90" in (tmp_path / "conf.py").read_text()


def test_given_a_line_that_holds_a_secret_itself_then_it_is_left_to_a_person(tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text('broker_url = "redis://:hunter2@host/0"\n')
    change = Change("broker_url", '"redis://"')
    assert patch([change], subject(task(), settings=(given("broker_url", 1, ""),)), tmp_path) == ("", [change])


def test_given_a_file_outside_the_project_then_it_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text("task_time_limit = 600\n")
    (tmp_path / "project").mkdir()
    outside = Setting("task_time_limit", 600, True, f"{tmp_path}/conf.py:1")
    change = Change("task_time_limit", "90")
    assert patch([change], subject(task(), settings=(outside,)), tmp_path / "project") == ("", [change])
