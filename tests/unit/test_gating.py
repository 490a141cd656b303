"""The verdict of a gate: each part by itself, the worst of them, and what is told of it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from report_by_hand import a_lost_row, a_red_report, a_report, a_row, an_unknown_row

from assay.audit.finding import Finding, Kind
from assay.audit.told import Audit
from assay.compare import sources
from assay.compare.comparison import Change, Comparison, Drift
from assay.compare.comparison import Kind as Drifted
from assay.errors import UsageError
from assay.gating import run
from assay.gating.conclusion import compared, conclude, refused
from assay.gating.table import Demands
from assay.gating.told import Gated, Part
from assay.report import CANARY_LOST, Report
from assay.reports import gate
from assay.reports import json as report_json
from assay.reports.checkout import Checkout
from assay.reports.problems import problems
from assay.settings import load
from assay.verdict import Outcome, Verdict

GREEN = a_report(a_row(), canary=CANARY_LOST)
RED = msgspec.structs.replace(a_red_report(), canary=CANARY_LOST)


def an_audit(*kinds: Kind, accepted: str = "", strict: bool = False) -> Audit:
    found = [
        Finding(rule=f"rule_{kind}", kind=kind, settings=("k",), title="k=1", observed="o", place="a.py:3", remedy="r")
        for kind in kinds
    ]
    findings = [msgspec.structs.replace(each, accepted=accepted) for each in found]
    return Audit(app="shop", pool="prefork", findings=findings, strict=strict)


def gated(
    report: Report = GREEN,
    audit: Audit | None = None,
    baseline: Part | None = None,
    took_s: float = 60.0,
    demanded: Any = "broken",
    **demands: Any,
) -> Gated:
    given = Demands(**demands, audit=demanded)
    return conclude(report, audit or an_audit(), baseline, given, took_s=took_s, folder="runs/1")


def verdicts(found: Gated) -> dict[str, Verdict]:
    return {part.name: part.verdict for part in found.parts}


def test_given_nothing_red_then_it_is_held_with_exit_code_0() -> None:
    found = gated(most_s=60, fewest_landed=250)
    assert (found.verdict, found.exit_code) == (Verdict.HELD, 0)
    assert set(verdicts(found)) == {"audit", "suites", "canary", "time", "landed faults"}
    assert {*verdicts(found).values()} == {Verdict.HELD}


@pytest.mark.parametrize(
    ("red", "part", "code"),
    [
        ({"report": RED}, "suites", 1),
        ({"report": a_report(a_row(), an_unknown_row(), canary=CANARY_LOST)}, "suites", 3),
        ({"report": a_report(a_row(), canary="not lost")}, "canary", 3),
        ({"audit": an_audit(Kind.BROKEN)}, "audit", 1),
        ({"audit": an_audit(Kind.DEAD)}, "audit", 1),
        ({"audit": an_audit(Kind.RISK), "demanded": "risk"}, "audit", 1),
        ({"baseline": Part("baseline", Verdict.UNKNOWN, "not run now")}, "baseline", 3),
        ({"baseline": refused("another app")}, "baseline", 2),
        ({"took_s": 60.1, "demands": {"most_s": 60}}, "time", 1),
        ({"demands": {"fewest_landed": 251}}, "landed faults", 1),
    ],
)
def test_given_one_red_part_then_it_alone_turns_the_exit_code(red: dict[str, Any], part: str, code: int) -> None:
    found = gated(**{key: value for key, value in red.items() if key != "demands"}, **red.get("demands", {}))
    assert found.exit_code == code
    assert [name for name, verdict in verdicts(found).items() if verdict is not Verdict.HELD] == [part]


def test_risks_and_what_the_team_accepts_do_not_count_unless_that_is_demanded() -> None:
    assert gated(audit=an_audit(Kind.RISK)).exit_code == 0
    assert gated(audit=an_audit(Kind.BROKEN, accepted="ours")).exit_code == 0
    assert set(verdicts(gated(audit=an_audit(Kind.BROKEN), demanded="off"))) == {"suites", "canary"}


def test_a_violation_is_worse_than_what_cannot_be_used() -> None:
    assert gated(report=a_red_report(), baseline=refused("another app")).exit_code == 1


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({"pool": "prefork"}, "canary is false in the configuration"),
        ({"pool": "solo"}, "it needs pool prefork, and this one is solo"),
        ({"pool": "prefork", "bodies": "live"}, "no real body is broken on purpose"),
    ],
)
def test_a_run_without_a_canary_is_unknown_unless_the_team_says_that_it_will_do(
    environment: dict[str, str], why: str
) -> None:
    report = a_report(a_row(), environment=environment)
    found = gated(report)
    (part,) = [part for part in found.parts if part.name == "canary"]
    assert (part.verdict, found.exit_code, why in part.why) == (Verdict.UNKNOWN, 3, True)
    assert (verdicts(gated(report, canary="off")).keys(), gated(report, canary="off").exit_code) == (
        {"audit", "suites"},
        0,
    )
    assert gated(a_report(a_row(), canary="not lost"), canary="off").exit_code == 3, "one that was there must be seen"


def test_a_canary_that_was_not_judged_made_no_loss() -> None:
    (part,) = [part for part in gated(a_report(a_row(), canary="not judged: r")).parts if part.name == "canary"]
    assert part.why == "not judged: r; so no green counts"


def test_a_gate_in_which_nothing_could_be_lost_is_unknown_unless_that_is_meant() -> None:
    report = a_report(a_row("routing.declared"), canary=CANARY_LOST, landed=0)
    assert (gated(report).exit_code, verdicts(gated(report))["landed faults"]) == (3, Verdict.UNKNOWN)
    assert gated(report, fewest_landed=0).exit_code == 0
    assert gated(report, fewest_landed=1).exit_code == 1
    assert gated(a_report(a_row(), canary=CANARY_LOST, landed=1)).exit_code == 0


def a_comparison(*kinds: Drifted, code: int) -> Comparison:
    change = Change(scenario="acks_late.child_killed", tasks=("t",), fault="SIGKILL child", before="held", after="lost")
    cause = "task_acks_late: True -> False"
    drifts = [Drift(kind=kind, cause=cause, changed=True, place="a.py:41", changes=[change]) for kind in kinds]
    return Comparison(app="shop", exit_code=code, runs=1, rows=1, same=0, drifts=drifts)


def test_what_got_worse_is_told_with_its_line_and_what_is_new_is_not() -> None:
    part = compared(a_comparison(Drifted.WEAKER, Drifted.NEW, code=1), "runs/1")
    assert part.verdict is Verdict.VIOLATED
    (line,) = part.details
    assert line == "weaker: task_acks_late: True -> False (a.py:41): t, SIGKILL child: held -> lost"
    assert compared(a_comparison(Drifted.NEW, code=0), "runs/1").verdict is Verdict.HELD
    blind = compared(msgspec.structs.replace(a_comparison(code=3), blind="this run had none"), "runs/1")
    assert (blind.verdict, blind.details) == (Verdict.UNKNOWN, ["no green counts: this run had none"])


def test_what_got_worse_is_a_problem_at_its_line(tmp_path: Path) -> None:
    found = problems(GREEN, None, Checkout(tmp_path, tmp_path), a_comparison(Drifted.WEAKER, Drifted.NEW, code=1))
    assert [(each.rule, each.path, each.line, each.level) for each in found] == [
        ("baseline/weaker", "a.py", 41, "error")
    ]


def test_a_baseline_of_another_app_is_refused_and_one_of_this_run_is_held(tmp_path: Path) -> None:
    report_json.write(a_report(a_row(), app={"name": "other", "module": "other"}), tmp_path / "other" / "report.json")
    report_json.write(GREEN, tmp_path / "same" / "report.json")
    comparison, part = run._compared(tmp_path / "other", GREEN, "runs/1")
    assert (comparison, part.verdict, part.refused) == (None, Verdict.UNKNOWN, True)
    assert "another app: other" in part.why
    comparison, part = run._compared(tmp_path / "same", GREEN, "runs/1")
    assert (comparison is not None, part.verdict, part.refused) == (True, Verdict.HELD, False)


def test_given_a_gate_that_was_red_then_doing_it_again_does_not_make_its_run_the_base(tmp_path: Path) -> None:
    def kept(name: str, report: Report, found: Gated | None) -> Report:
        day = msgspec.structs.replace(report, started_at=f"2026-11-0{name}")
        report_json.write(day, tmp_path / name / "report.json")
        if found:
            (tmp_path / name / "gate.json").write_text(gate.json(found))
        return day

    weaker = a_report(a_row(outcome=Outcome.LOST, recovery_s=None), canary=CANARY_LOST)
    kept("1", GREEN, gated())
    kept("2", weaker, gated(baseline=Part("baseline", Verdict.VIOLATED, "worse")))
    again = kept("3", weaker, None)
    comparison, part = run._compared(tmp_path, again, "runs/3")
    assert part.verdict is Verdict.VIOLATED, "it is compared with the first, as the second was"
    assert comparison is not None
    assert "not used, 2026-11-02: its gate was not green: violated" in comparison.notes

    (tmp_path / "1" / "gate.json").write_text("{")
    _, part = run._compared(tmp_path, again, "runs/3")
    assert (part.refused, "its gate.json cannot be read" in part.why) == (True, True)
    (tmp_path / "1" / "gate.json").unlink()
    kept("1", a_red_report(), None)
    assert run._compared(tmp_path, again, "runs/3")[1].refused, "a run that was not held is none for a gate"
    assert len(sources.base(tmp_path, again).reports) == 1, "for a comparison it is"


def test_the_text_says_which_part_is_red_and_why_with_the_line() -> None:
    row = a_lost_row()
    found = gated(report=a_report(row, canary=CANARY_LOST), most_s=10)
    text = gate.render(found, "runs/1", ["assay check runs/1"], width=500, color=False)
    assert "next  assay check runs/1" in text
    assert "next" not in gate.render(gated(), "runs/1", ["assay check runs/1"], width=500, color=False)
    lines = text.splitlines()
    assert lines[-1] == "gate: violated by suites, time, exit code 1: it may not be merged as it is"
    assert any(line.startswith("✗ violated  time") and "60 s, of 10 s at most" in line for line in lines)
    assert "task_acks_late=False (shop/celery.py:41): acks_late.main_killed: acknowledged 2 ms after" in text
    assert "Remedy: set task_acks_late=True" in text


def test_of_many_causes_the_first_are_told_and_where_the_others_are() -> None:
    rows = [a_lost_row(claim=f"s{number}=1") for number in range(12)]
    (part,) = [part for part in gated(report=a_report(*rows)).parts if part.name == "suites"]
    assert len(part.details) == 9
    assert part.details[-1] == "and 4 more: runs/1/report.md"


def demands(folder: Path, text: str) -> Demands:
    (folder / "assay.toml").write_text(f"[gate]\n{text}\n")
    return load({}, cwd=folder).gate


def test_demands_are_read_and_a_baseline_is_found_beside_the_file(tmp_path: Path) -> None:
    found = demands(tmp_path, 'most_s = 120\nfewest_landed = 60\naudit = "risk"\nbaseline = "base.json"')
    assert found == Demands(most_s=120, fewest_landed=60, audit="risk", baseline=tmp_path / "base.json")
    assert load({}, cwd=tmp_path.parent).gate == Demands()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("most = 3", "gate: unknown key most; did you mean most_s?"),
        ("most_s = 0", "gate.most_s: expected"),
        ('audit = "brokn"', "; there are broken, risk, off"),
        ('canary = "of"', "; there are seen, off"),
        ("fewest_landed = 1.5", "gate.fewest_landed: expected int"),
        ("baseline = 3", "gate.baseline: expected"),
    ],
)
def test_demands_that_cannot_be_used_are_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError) as refusal:
        demands(tmp_path, text)
    assert told in str(refusal.value)
