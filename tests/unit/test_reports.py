"""JSON, JUnit and Markdown made from reports written by hand."""

from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_by_hand import a_lost_row, a_red_report, a_report, a_row, an_unknown_row

from assay.errors import UsageError
from assay.report import SCHEMA, Claim, Report
from assay.reports import json, junit, markdown, terminal
from assay.reports.commands import replay
from assay.reports.words import evidence, grace_periods, meanings, plain, row_line, seconds, stack, tally
from assay.verdict import Judgement, Outcome, Result, Verdict

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(0, 2**40)
times = st.floats(0, 1e9)
values = st.recursive(st.none() | st.booleans() | numbers | text, lambda v: st.lists(v) | st.dictionaries(text, v))
tables = st.dictionaries(text, values, max_size=3)
judgements = st.builds(
    Judgement,
    checker=text,
    verdict=st.sampled_from(Verdict),
    reason=text,
    outcome=st.none() | st.sampled_from(Outcome),
    invocations=st.lists(text, max_size=3).map(tuple),
    recovery_s=st.none() | times,
    figures=tables,
)
words = dict.fromkeys(("suite", "scenario", "task", "fault", "claim", "reason", "remedy", "place", "known"), text)
rows = st.builds(
    Result,
    **words,
    members=st.lists(text, max_size=3),
    outcome=st.none() | st.sampled_from(Outcome),
    verdict=st.sampled_from(Verdict),
    recovery_s=st.none() | times,
    injected=numbers,
    landed=numbers,
    folder=text,
    duration_s=times,
    judgements=st.lists(judgements, max_size=2),
)
claims = st.builds(
    Claim, setting=text, promise=text, verdict=st.sampled_from(Verdict), observed=text, tasks=st.lists(text)
)
reports = st.builds(
    Report,
    verdict=st.sampled_from(Verdict),
    exit_code=st.sampled_from([0, 1, 3]),
    app=tables,
    broker=tables,
    environment=st.dictionaries(text, text, max_size=3),
    redirected=st.lists(text, max_size=2),
    scaled=st.lists(text, max_size=2),
    claims=st.lists(claims, max_size=2),
    results=st.lists(rows, max_size=3),
    landed=st.integers(0, 10_000),
    lost=numbers,
    known_not_seen=st.lists(text, max_size=2),
    started_at=text,
    duration_s=times,
    command=text,
)


@given(reports)
@settings(max_examples=25, deadline=None)
def test_a_report_read_back_is_the_report_that_was_written(report: Report) -> None:
    assert json.parse(json.render(report)) == report


@given(reports)
@settings(max_examples=25, deadline=None)
def test_junit_of_any_report_is_well_formed_and_counts_its_rows(report: Report) -> None:
    root = ET.fromstring(junit.render(report).encode())

    assert len(root.findall("testsuite/testcase")) == len(report.results) + len(report.claims)
    assert root.get("tests") == str(len(report.results) + len(report.claims))


@given(reports)
@settings(max_examples=25, deadline=None)
def test_markdown_of_any_report_keeps_its_tables_whole(report: Report) -> None:
    lines = markdown.render(report, Path("run")).splitlines()
    for before, line in pairwise(lines):
        if before.startswith("| --- | --- | --- | --- | --- | --- |"):
            assert line.replace("\\|", "").count("|") == 7


def test_a_report_survives_the_disk_and_leaves_no_draft(tmp_path: Path) -> None:
    json.write(a_red_report(), tmp_path / "run" / json.NAME)

    assert json.read(tmp_path / "run") == a_red_report()
    assert [path.name for path in (tmp_path / "run").iterdir()] == [json.NAME]


def changed(**fields: Any) -> bytes:
    return msgspec.json.encode({**msgspec.to_builtins(a_red_report()), **fields})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is damaged"),
        (b'{"schema": 1, "results": [', "is damaged"),
        (b"\xff\xfe", "is damaged"),
        (b"[]", "is not a report of Assay"),
        (b'{"tests": 3}', "is not a report of Assay"),
        (changed(schema="1"), "is not a report of Assay"),
        (changed(schema=SCHEMA + 1), "use the version that wrote it, or a later one"),
        (changed(verdict="green"), "is damaged: Invalid enum value 'green'"),
        (changed(results=[{"suite": "a"}]), "is damaged: Object missing required field"),
    ],
)
def test_what_is_no_report_is_refused_with_its_file(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / json.NAME).write_bytes(content)
    with pytest.raises(UsageError) as caught:
        json.read(tmp_path)

    assert str(caught.value).startswith(str(tmp_path / json.NAME))
    assert told in str(caught.value)


def test_fields_of_a_later_version_with_the_same_schema_are_passed_over() -> None:
    assert json.parse(changed(weather="fine")) == a_red_report()


def test_a_run_folder_is_found_by_itself_by_its_report_or_as_the_newest_of_several(tmp_path: Path) -> None:
    for name in ("20261121", "20261122"):
        json.write(a_red_report(), tmp_path / name / json.NAME)
    (tmp_path / "cut" / "one" / "events").mkdir(parents=True)
    (tmp_path / "cut" / "one" / "events" / "1-0.jsonl").touch()

    newest = tmp_path / "20261122"
    assert json.locate(newest) == newest
    assert json.locate(newest / json.NAME) == newest
    assert json.locate(tmp_path) == newest
    assert json.locate(tmp_path / "cut") == tmp_path / "cut"


def test_what_shrinking_has_found_was_not_run_and_is_not_the_newest_run(tmp_path: Path) -> None:
    json.write(a_red_report(), tmp_path / "20261121" / json.NAME)
    small = tmp_path / "20261122"
    small.mkdir()
    (small / "facts.json").write_text("{}")
    assert json.locate(tmp_path) == tmp_path / "20261121"
    assert json.locate(small) == small, "named, it is meant: it can be replayed"


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a run folder: it holds no"):
        json.locate(tmp_path)
    with pytest.raises(UsageError, match="there is no such folder"):
        json.locate(tmp_path / "missing")


def cases(report: Report) -> dict[str, ET.Element]:
    root = ET.fromstring(junit.render(report, Path("run")).encode())
    return {case.get("name", ""): case for case in root.iter("testcase")}


def test_junit_says_failure_error_skipped_or_nothing() -> None:
    found = cases(a_red_report())

    assert [child.tag for child in found["gives_up[shop.charge]"]] == ["properties"]
    assert [child.tag for child in found["main_killed[shop.charge]"]] == ["properties", "failure"]
    assert [child.tag for child in found["memory_limit[shop.charge]"]] == ["properties", "error"]
    assert [child.tag for child in found["quit_cold[shop.charge]"]] == ["properties", "skipped"]
    assert [child.tag for child in found["task_max_retries=3"]] == ["properties", "failure"]


def test_a_junit_failure_tells_the_story() -> None:
    failure = cases(a_red_report())["main_killed[shop.charge]"].find("failure")

    assert failure is not None
    assert failure.get("type") == "lost"
    for part in ("nobody will run it again", "shop/celery.py:41", "set task_acks_late=True", "delivery: violated"):
        assert part in (failure.text or "")


def test_a_claim_that_only_known_violations_speak_against_fails_nothing() -> None:
    claim = Claim(setting="task_acks_late=False", promise="p", observed="o", verdict=Verdict.VIOLATED)
    report = a_report(a_row(), a_lost_row(known="celery#1"), claims=[claim])

    assert report.exit_code == 0
    assert cases(report)[claim.setting].find("failure") is None
    assert "Claims that do not hold" not in markdown.render(report)


def test_junit_counts_add_up() -> None:
    root = ET.fromstring(junit.render(a_red_report()).encode())

    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "7",
        "failures": "3",
        "errors": "1",
        "skipped": "1",
    }


def test_markdown_has_the_verdict_first_and_every_violation() -> None:
    told = markdown.render(a_red_report(), Path("run"))

    assert told.startswith("## ❌ Assay: violated")
    for part in ("acks_late.main_killed", "shop/celery.py:41", "task_max_retries=3", "Known violations (1)"):
        assert part in told.replace("\\_", "_")
    heads = ["### Claims that do not hold (2), behind 1 violated row", "### Unknown (1)", "Every violated row (1)"]
    assert [told.index(head) for head in heads] == sorted(told.index(head) for head in heads)


def test_markdown_lets_no_text_of_the_user_become_markup() -> None:
    told = markdown.render(a_report(a_lost_row(reason="<script>|*x*|`y`\nz"), landed=1), None)

    assert "<script>" not in told
    assert "&lt;script&gt;\\|\\*x\\*\\|\\`y\\` z" in told


@pytest.mark.parametrize(
    ("landed", "lost", "told"),
    [
        (0, 0, "no fault that could lose a task landed, so nothing is proved about losses"),
        (1, 0, "0 lost in 1 landed fault: under 95 % a fault (95 %)"),
        (250, 0, "0 lost in 250 landed faults: under 1.2 % a fault (95 %)"),
        (3000, 0, "0 lost in 3000 landed faults: under 0.1 % a fault (95 %)"),
        (250, 3, "3 lost in 250 landed faults"),
    ],
)
def test_evidence_claims_no_more_than_was_seen(landed: int, lost: int, told: str) -> None:
    assert evidence(a_report(landed=landed, lost=lost)) == told


def test_evidence_says_what_it_leaves_out() -> None:
    told = evidence(a_report(landed=250, landed_known=6))
    assert told == "0 lost in 250 landed faults: under 1.2 % a fault (95 %); 6 of known findings not counted"
    assert evidence(a_report(landed=0, landed_known=6)).endswith("about losses; 6 of known findings not counted")


def test_given_losses_that_no_fault_was_meant_for_then_they_are_told_and_no_bound_is_claimed() -> None:
    told = evidence(a_report(landed=10, lost_beside=1))
    assert told == "0 lost in 10 landed faults, and 1 lost that no fault was meant for"


@given(st.integers(1, 1_000_000))
def test_the_bound_that_is_told_is_never_below_the_true_one(landed: int) -> None:
    told = float(evidence(a_report(landed=landed)).split("under ")[1].split(" %")[0]) / 100

    assert told >= 1 - 0.05 ** (1 / landed) - 1e-12


def test_small_words() -> None:
    assert [seconds(value) for value in (0.004, 0.42, 9.96, 3600.0)] == ["<0.1 s", "0.4 s", "10 s", "3600 s"]
    assert tally(a_red_report()) == "2 claims do not hold: 1 violated, 1 unknown, 1 held, 1 known violation"
    assert tally(a_report()) == "no scenario ran"
    lost = a_lost_row(verdict=Verdict.HELD)
    assert tally(a_report(lost, a_row())) == "2 held (of these 1 lost, which nothing promises against)"
    assert stack(a_red_report()) == "fakeredis 2.40.0, prefork, celery 5.7.0"
    assert plain("a\x1b[31m\nb\u202e") == "a\\x1b[31m b\\x202e"


def test_commands_to_go_on_with() -> None:
    assert replay(a_red_report(), Path("my run")) == [
        "assay run -A shop --scenario acks_late.main_killed --task shop.charge",
        "assay blame 'my run'",
        "assay page 'my run'",
        "assay show 'my run' 3f2a91c4",
    ]
    assert replay(a_report(a_row()), None) == []
    unknown = replay(a_report(an_unknown_row()), Path("runs/1"))
    assert "recycling.memory_limit" in unknown[0]
    assert unknown[1] == "assay page runs/1", "blame is about what is violated"


def test_what_was_run_is_run_again_without_what_chose_among_its_rows() -> None:
    report = a_report(an_unknown_row())
    report.command = "assay run -A shop --pool=solo --live --suite recycling --broker redis --out x --cold"
    assert replay(report, None)[0].startswith("assay run -A shop --pool solo --live --broker redis --cold --scenario ")


def test_a_command_whose_quote_is_not_closed_gives_no_options_to_go_on_with() -> None:
    report = a_report(an_unknown_row())
    report.command = 'assay run -A "shop'
    assert replay(report, None)[0].startswith("assay run --scenario ")


def test_a_row_of_many_invocations_tells_whose_the_recovery_time_is() -> None:
    """The worst of them names the row, and the time is that of others."""
    row = a_row("chaos.not_struck", fault="none (under load)", outcome=Outcome.FAILED, recovery_s=3603.0)
    report = a_report(row, app={"name": "shop", "visibility_timeout_s": 3600.0})
    told = " ".join(terminal.render(report, None, width=160, color=False).split())
    assert "not_struck ✓ failed, others recovered 3603 s" in told
    assert "failed with a held verdict, in a chaos run: a share of the workload fails on purpose" in told
    assert "recovered: interrupted by the fault" in told
    assert "3600 s and more: of it 3600 s (1 h) are the visibility timeout, after which Redis gives back" in told
    assert row_line(row).endswith("shop.charge: failed, others recovered in 3603 s")


@pytest.mark.parametrize(("app", "recovery_s"), [({"visibility_timeout_s": 3600.0}, 0.4), ({}, 3601.0)])
def test_the_visibility_timeout_is_told_where_it_was_waited_for_and_is_known(
    app: dict[str, Any], recovery_s: float
) -> None:
    report = a_report(a_row(recovery_s=recovery_s), app={"name": "shop", **app})
    assert "visibility timeout" not in terminal.render(report, None, width=160, color=False)


def test_grace_periods_are_told_once_for_all_tasks_that_need_the_same() -> None:
    def row(task: str, reason: str, verdict: Verdict = Verdict.HELD) -> Result:
        return a_row("shutdown.grace_period", task, verdict=verdict, judgements=[Judgement("grace", verdict, reason)])

    report = a_report(
        row("shop.charge", "it needs 600 s"),
        row("shop.mail", "it needs 600 s"),
        row("shop.bill", "it needs 60 s"),
        row("shop.slow", "its limit did not end it", Verdict.VIOLATED),
    )
    assert grace_periods(report) == ["shop.charge, shop.mail: it needs 600 s", "shop.bill: it needs 60 s"]
    assert "- shop.charge, shop.mail: it needs 600 s" in markdown.render(report)
    told = terminal.render(report, None, width=100, color=False)
    assert "  shop.bill: it needs 60 s" in told.splitlines()
    assert "Grace periods" not in terminal.render(a_report(a_row()), None, width=100, color=False)


def test_given_a_recovery_that_took_several_visibility_timeouts_then_the_legend_says_so() -> None:
    app = {"name": "shop", "visibility_timeout_s": 600.0}
    (one,) = [line for line in meanings(a_report(a_row(recovery_s=601.4), app=app)) if line.startswith("600 s and")]
    assert "1200 s" not in one
    (two,) = [line for line in meanings(a_report(a_row(recovery_s=1201.4), app=app)) if line.startswith("600 s and")]
    assert two.endswith("; 1200 s and more: two of them or more, one for each worker that died with the message")
