"""`assay against`: what is replaced and what stays, whose index is asked, and what is refused."""

import shutil
import sys
from datetime import date
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from report_by_hand import a_lost_row, a_report, a_row

from assay.against import environment, run
from assay.against.environment import Stamp, environ, may_stay, parsed
from assay.against.inside import closure, conflicts, installed
from assay.against.installer import as_uv, pip_options, reason
from assay.against.run import doubted
from assay.cli import main
from assay.cli.against import _as_typed
from assay.compare import compare
from assay.compare.fit import only
from assay.errors import HarnessError, UsageError
from assay.reports import compare as terminal
from assay.reports import compare_markdown as markdown
from assay.selection import Selection


def site(folder: Path, **given: tuple[str, list[str]]) -> dict[str, Distribution]:
    """An environment with these distributions: {name: (version, requirements)}."""
    for name, (version, requires) in given.items():
        info = folder / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        (info / "METADATA").write_text("\n".join([*lines, *(f"Requires-Dist: {each}" for each in requires)]) + "\n")
    return installed(distributions(path=[str(folder)]))


CELERY = ["kombu>=5.5,<5.8", "vine>=5", "redis>=4; extra == 'redis'", "old; python_version < '3'", "b at d"]


def test_what_a_distribution_requires_here_is_free_and_its_extras_are_not(tmp_path: Path) -> None:
    known = site(tmp_path, celery=("5.7.0", CELERY), kombu=("5.7.0", ["amqp"]), vine=("5.1", []), redis=("8", []))
    assert closure(["Celery"], known) == {"celery", "kombu", "vine", "amqp"}


def test_given_a_version_that_fits_what_is_there_then_it_stays_and_one_that_does_not_is_chosen_anew(
    tmp_path: Path,
) -> None:
    here = site(tmp_path / "a", celery=("5.7.0", CELERY), kombu=("5.7.0", []), vine=("5.0", []))
    fits = site(tmp_path / "b", celery=("5.4.0", ["kombu>=5.3", "vine>=5"]), kombu=("5.8.0", []), vine=("5.1", []))
    assert may_stay(here, fits, {"kombu", "vine"}) == {"kombu", "vine"}
    older = site(tmp_path / "c", celery=("5.5.0", ["kombu<5.6", "vine>=5"]), kombu=("5.5.4", []), vine=("5.1", []))
    assert may_stay(here, older, {"kombu", "vine"}) == {"vine"}


def test_what_does_not_fit_is_told(tmp_path: Path) -> None:
    known = site(tmp_path, assay=("1", ["celery>=5.4"]), celery=("5.3.6", []))
    assert conflicts(known) == ["assay 1 requires celery>=5.4, and 5.3.6 is installed"]


def test_the_first_on_the_path_is_what_is_imported(tmp_path: Path) -> None:
    site(tmp_path / "over", celery=("5.5.0", []))
    site(tmp_path / "under", celery=("5.7.0", []))
    found = installed(distributions(path=[str(tmp_path / "over"), str(tmp_path / "under")]))
    assert found["celery"].version == "5.5.0"


def test_uv_is_told_what_pip_is_configured_for(tmp_path: Path) -> None:
    config = tmp_path / "pip.conf"
    text = "[global]\nindex-url = https://one\nextra-index-url =\n  https://two\n  https://three\ncert = /ca\n"
    config.write_text(text)
    options = pip_options({"PIP_INDEX_URL": "https://mine", "PIP_FIND_LINKS": "/wheels", "HOME": "/"}, [str(config)])
    arguments, certificates = as_uv(options)
    assert arguments == [
        *("--index-url", "https://mine"),
        *("--extra-index-url", "https://two", "--extra-index-url", "https://three"),
        *("--find-links", "/wheels"),
        *("--index-strategy", "unsafe-best-match"),
    ]
    assert certificates == "/ca"
    config.write_text("no section")
    with pytest.raises(UsageError, match="pip's configuration cannot be read"):
        pip_options({}, [str(config)])


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            "WARNING: slow\nERROR: Could not find it (from versions: 1, 2, 3, 4, 5, 6)\nERROR: No match",
            "Could not find it (from versions: ..., 3, 4, 5, 6); No match",
        ),
        (
            "error: No solution found\n  cause: Because there is no celery==9",
            "No solution found; Because there is no celery==9",
        ),
        ("  × No solution found:\n  ╰─▶ Because of it", "No solution found:; Because of it"),
        ("", ""),
    ],
)
def test_the_reason_of_an_installer_is_told_in_short(said: str, why: str) -> None:
    assert reason(said) == why


def test_a_process_there_does_not_find_what_is_here_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/app:/venv/lib/python3.11/site-packages")
    monkeypatch.setenv("PYTHONHOME", "/usr")
    given = environ(Path("/cache/e/bin/python"))
    assert (given["PYTHONPATH"], given["VIRTUAL_ENV"]) == ("/app", "/cache/e")
    assert given["PATH"].startswith("/cache/e/bin:")
    assert "PYTHONHOME" not in given


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], 'no other version is named: assay against "celery==5.5.*"'),
        (["cel ery"], 'cel ery is no requirement such as "celery==5.5.*"'),
        (["celery_assay==1"], "both runs are by the Assay that is installed here"),
        (["celery==5.5.*"], "no app is named"),
        (["celery==5.5.*", "-A", "shop", "--scenario", "child_klled_enter"], "did you mean child_killed_enter"),
    ],
)
def test_what_cannot_be_used_is_told_before_anything_is_made(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    result = CliRunner().invoke(main, ["against", *arguments])
    assert result.exit_code == 2
    assert said in result.output
    assert not (tmp_path / "cache").exists()


def test_environments_can_be_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "assay" / "against" / "celery-5.5").mkdir(parents=True)
    result = CliRunner().invoke(main, ["against", "--remove"])
    assert result.output.endswith("1 removed\n")
    assert not (tmp_path / "assay" / "against").exists()


def test_a_run_there_is_given_the_options_as_they_were_typed() -> None:
    options: dict[str, Any] = {"app": "shop", "suites": ("a", "b"), "migrations": False, "cold": True, "live": None}
    assert _as_typed({**options, "jobs": 2, "each_task": None, "out": "x"}) == [
        *("--app", "shop", "--suite", "a", "--suite", "b", "--no-migrations", "--cold", "--jobs", "2"),
    ]


def test_rows_of_a_base_that_are_not_chosen_are_of_no_account() -> None:
    both = ["shop.charge", "shop.refund"]
    report = a_report(a_row("acks_late.one", members=both), a_lost_row("retries.two"))
    (row,) = only(report, {"suites": ["acks_late"], "tasks": ["*.refund"]}).results
    assert (row.task, row.members) == ("shop.refund", ["shop.refund"])
    assert only(report, {}).results[0].members == both


def test_what_packages_that_do_not_fit_together_have_shown_proves_nothing() -> None:
    base = a_report(a_row())
    found = doubted(compare([base], base), ["celery 5.7.0 requires kombu>=5.7.0, and 5.6.2 is installed"])
    assert found.exit_code == 3
    for said in (terminal.render(found, width=400, color=False), markdown.render(found)):
        assert "do not fit together, so what held there is not proved: celery 5.7.0 requires kombu" in said
    assert doubted(compare([base], base), []).exit_code == 0
    worse = compare([base], a_report(a_lost_row()))
    assert doubted(worse, ["one"]).exit_code == worse.exit_code == 1


@pytest.mark.parametrize(
    ("text", "made_on", "told"),
    [
        ("celery==5.5.*", "2026-01-30", ["celery==5.5.* is 5.5.1, as it was on 2026-01-30"]),
        ("celery>=5.5", "2026-01-30", ["celery>=5.5 is 5.5.1, as it was on 2026-01-30"]),
        ("celery==5.5.1", "2026-01-30", []),
        ("celery==5.5.*", "2026-01-31", []),
    ],
)
def test_a_version_that_was_chosen_on_another_day_is_told(text: str, made_on: str, told: list[str]) -> None:
    notes = environment.aged(parsed([text]), Stamp(environment.FORMAT, made_on, {"celery": "5.5.1"}), date(2026, 1, 31))
    assert [each.partition(" when")[0] for each in notes] == told


def a_cached_one(monkeypatch: pytest.MonkeyPatch, cache: Path, **there: str) -> list[Path]:
    """What is made of environments that have these versions, others apart; nothing is installed."""
    made: list[Path] = []

    def make(folder: Path, *_: Any) -> None:
        folder.mkdir()
        made.append(folder)

    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setattr(environment, "_make", make)
    here = {name: each.version for name, each in installed().items()}
    monkeypatch.setattr(environment, "_inside", lambda python: ({**here, **there}, []))
    return made


def test_what_was_resolved_is_kept_with_the_environment_and_one_in_part_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = a_cached_one(monkeypatch, tmp_path, celery="5.5.1")
    wanted = parsed(["celery==5.5.*"])
    assert environment.made(wanted, print).notes == []
    (folder,) = made
    stamp = msgspec.json.decode((folder / environment.STAMP).read_bytes(), type=Stamp)
    assert stamp.resolved == {"celery": "5.5.1"}
    (folder / environment.STAMP).write_bytes(msgspec.json.encode(msgspec.structs.replace(stamp, made_on="2026-01-30")))
    assert "2026-01-30" in environment.made(wanted, print).notes[0]
    assert made == [folder]  # and not twice
    shutil.rmtree(folder)
    folder.with_name("x").mkdir()
    environment.made(wanted, print)
    assert made == [folder, folder]


def test_where_nothing_is_of_another_version_nothing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_cached_one(monkeypatch, tmp_path)
    with pytest.raises(UsageError, match="nothing is of another version than here, so nothing would be tested"):
        run.against(["celery>=5"], ["--no-such-option"], Selection(), tmp_path / "out", None, print)
    a_cached_one(monkeypatch, tmp_path / "other", celery="5.5.1")
    with pytest.raises(UsageError, match="the run as it is ended with exit code 2"):
        run.against(["celery>=5"], ["--no-such-option"], Selection(), tmp_path / "out", None, print)


def test_modules_of_the_project_are_not_taken_for_those_of_assay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("msgspec", "packaging", "rich"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('of the project')\n")
    monkeypatch.chdir(tmp_path)
    versions, _ = environment._inside(Path(sys.executable))
    assert "celery" in versions
    with pytest.raises(HarnessError, match="exit code 0 and left no report"):  # it came as far as its help
        run._run(Path(sys.executable), ["--help"], tmp_path / "out", "as it is")


def test_an_exit_code_of_1_without_a_report_is_no_verdict(tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o700)
    with pytest.raises(HarnessError, match="exit code 1 and left no report"):
        run._run(python, [], tmp_path / "out", "with celery==5.5.*")
