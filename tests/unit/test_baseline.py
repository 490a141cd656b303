"""Baselines: small, stable files that stand for runs; and what else may be named as a base."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from report_by_hand import a_lost_row, a_report, a_row, an_unknown_row
from test_compare import app

from assay.compare import baseline, compare, sources
from assay.compare.comparison import Kind
from assay.errors import UsageError
from assay.report import CANARY_LOST, Report
from assay.reports import json as report_json
from assay.verdict import Outcome, Result


def a_run(*rows: Any, day: int = 1, **fields: Any) -> Report:
    environment = {"celery": "5.7.0", "pool": "prefork", "bodies": "hollow", "platform": "Linux-6.1"}
    given = {"app": app(), "environment": environment, "started_at": f"2026-11-{day:02d}", "duration_s": 60.0 + day}
    return a_report(*(rows or (a_row(), a_lost_row("retries.gives_up"))), **{**given, **fields})


def a_file(path: Path, *reports: Report) -> Path:
    path.write_text(baseline.render(baseline.of(reports, even_red=True)[0]), encoding="utf-8")
    return path


def test_given_a_baseline_then_it_stands_for_its_run(tmp_path: Path) -> None:
    run = a_run()
    (read,) = baseline.read(a_file(tmp_path / "b.json", run))
    found = compare([read], run)
    assert (found.exit_code, found.drifts, found.settings, found.environment) == (0, [], [], [])
    worse = a_run(a_row(outcome=Outcome.LOST, recovery_s=None), a_lost_row("retries.gives_up"))
    assert [drift.kind for drift in compare([read], worse).drifts] == [Kind.WEAKER]


def test_given_the_same_run_again_then_the_file_is_the_same_whatever_its_times_were() -> None:
    first, second = (
        baseline.render(baseline.of([a_run(a_row(recovery_s=seconds), day=day)])[0])
        for seconds, day in ((0.2, 1), (4.9, 2))
    )
    assert first == second
    assert "2026" not in first


def test_it_has_a_row_a_line_and_no_path_of_this_machine() -> None:
    placed = app()
    placed["origins"]["task_acks_late"]["place"] = "/home/me/shop/celery.py:41"
    text = baseline.render(baseline.of([a_run(app=placed)], even_red=True)[0])
    assert [line for line in text.splitlines() if "retries.gives_up" in line and "acks_late.main_killed" in line] == []
    assert sum('"scenario"' in line for line in text.splitlines()) == 2
    assert "/home/me" not in text
    assert json.loads(text)["rows"][0]["recovery_s"] == 10


def test_given_several_runs_then_one_file_tells_which_rows_are_flaky(tmp_path: Path) -> None:
    runs = [a_run(a_row(outcome=outcome), day=day) for day, outcome in enumerate((Outcome.OK, Outcome.DUPLICATED), 1)]
    read = baseline.read(a_file(tmp_path / "b.json", *runs))
    assert [report.results[0].outcome for report in read] == [Outcome.OK, Outcome.DUPLICATED]
    found = compare(read, runs[0])
    assert (found.runs, [drift.kind for drift in found.drifts], found.exit_code) == (2, [Kind.FLAKY], 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is damaged"),
        ("\xff", "is damaged"),
        ("[]", "is neither a report nor a baseline of Assay"),
        ('{"name": "somebody else"}', "is neither a report nor a baseline of Assay"),
        ('{"assay_baseline": 0}', "is of an earlier format, 0, and this version reads 1: make it anew"),
        ('{"assay_baseline": 2}', "is of a later format, 2"),
        ('{"assay_baseline": true}', "is not a baseline of Assay"),
        ('{"assay_baseline": 1, "runs": 1}', "is damaged: Object missing required field"),
        ('{"schema": 0, "results": []}', "is damaged: there is no schema 0"),
        ('{"schema": 99, "results": []}', "has schema 99"),
    ],
)
def test_given_a_file_that_is_no_base_then_it_is_refused_with_the_remedy(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "base.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(UsageError) as refused:
        sources.base(path)
    assert said in str(refused.value)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    ("there", "edited", "said"),
    [
        ('"runs": 1', '"runs": 0', "it has no runs"),
        ('"runs": 1', '"runs": 1000000000', "is damaged: Expected `int` <= 1000"),
        ('"tasks": ["shop.charge"]', '"tasks": []', "is damaged: Expected `array` of length >= 1"),
    ],
)
def test_given_a_baseline_that_was_edited_then_it_is_damaged(
    tmp_path: Path, there: str, edited: str, said: str
) -> None:
    path = a_file(tmp_path / "b.json", a_run())
    assert there in path.read_text()
    path.write_text(path.read_text().replace(there, edited))
    with pytest.raises(UsageError, match=re.escape(said)):
        baseline.read(path)


def test_given_a_folder_of_runs_then_all_that_fit_are_the_base_and_which_is_said(tmp_path: Path) -> None:
    for day in (1, 2, 3):
        report_json.write(a_run(day=day), tmp_path / f"run{day}" / report_json.NAME)
    report_json.write(a_run(app={"name": "bank", "module": "bank"}), tmp_path / "other" / report_json.NAME)
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "facts.json").write_text("{}")
    current = sources.current(tmp_path / "run3")
    found = sources.base(tmp_path, current)
    assert [report.started_at for report in found.reports] == ["2026-11-01", "2026-11-02"]
    said = "\n".join(found.notes)
    for part in ("it is the current one", "another app: bank", f"{tmp_path / 'cut'} was cut short", "run1, run2, run3"):
        assert part in said


def test_given_a_folder_without_a_run_that_fits_then_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no run"):
        sources.base(tmp_path)
    report_json.write(a_run(app={"name": "bank", "module": "bank"}), tmp_path / "other" / report_json.NAME)
    with pytest.raises(UsageError, match=r"no run in .* can be compared with the current one: .*bank"):
        sources.base(tmp_path, a_run(day=2))
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "facts.json").write_text("{}")
    for read in (sources.base, sources.current):
        with pytest.raises(UsageError, match=r"was cut short and has no report\.json: assay check"):
            read(tmp_path / "cut")
    with pytest.raises(UsageError, match="no such file or folder"):
        sources.base(tmp_path / "nothing")
    (tmp_path / "locked").write_text("{}")
    os.chmod(tmp_path / "locked", 0)
    if not os.access(tmp_path / "locked", os.R_OK):
        with pytest.raises(UsageError, match="cannot be read"):
            sources.base(tmp_path / "locked")


def test_given_a_folder_with_a_baseline_then_that_is_the_base(tmp_path: Path) -> None:
    a_file(tmp_path / baseline.NAME, a_run())
    assert len(sources.base(tmp_path).reports) == 1


@pytest.mark.parametrize(
    ("rows", "canary", "said"),
    [
        (
            [a_row(), a_lost_row("retries.gives_up")],
            CANARY_LOST,
            "1 row of the newest run did not hold (retries.gives_",
        ),
        ([a_row(), an_unknown_row()], CANARY_LOST, "(recycling.memory_limit is unknown)"),
        ([a_row()], "not judged: r", "the run's canary was not seen to be lost"),
        ([a_row(), a_lost_row("retries.gives_up", known="celery#1")], CANARY_LOST, ""),
        ([a_row()], "", ""),
    ],
)
def test_a_baseline_of_what_did_not_hold_is_made_only_where_that_is_said(
    rows: list[Result], canary: str, said: str
) -> None:
    run = a_run(*rows, canary=canary)
    if said:
        with pytest.raises(UsageError, match=re.escape(said)) as refused:
            baseline.of([run])
        assert "--even-red" in str(refused.value)
    kept, _ = baseline.of([run], even_red=bool(said))
    (read,) = baseline.parse(baseline.render(kept))
    assert (len(read.results), read.canary) == (len(rows), canary)


def test_a_baseline_that_does_not_tell_of_its_canary_is_as_good_as_before() -> None:
    kept = json.loads(baseline.render(baseline.of([a_run(a_row(), canary=CANARY_LOST)])[0]))
    without = json.dumps({key: value for key, value in kept.items() if key != "canary"})
    assert compare(baseline.parse(without), a_run(a_row())).exit_code == 0
    assert compare(baseline.parse(json.dumps(kept)), a_run(a_row(), canary=CANARY_LOST)).exit_code == 0
    assert compare(baseline.parse(json.dumps(kept)), a_run(a_row())).exit_code == 3, "there is none any more"
