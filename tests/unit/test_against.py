"""`assay against`: what is replaced and what stays, whose index is asked, and what is refused."""

from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from report_by_hand import a_lost_row, a_report, a_row

from assay.against.environment import environ, may_stay
from assay.against.inside import closure, conflicts, installed
from assay.against.installer import as_uv, pip_options, reason
from assay.cli import main
from assay.cli.against import _as_typed
from assay.compare.fit import only
from assay.errors import UsageError


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
