"""What CI servers are given: SARIF, CTRF, code quality, annotations and a summary, from reports written by hand."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fluidattacks_core.sarif import SarifLog
from pydantic import ValidationError
from report_by_hand import LATE, a_lost_row, a_red_report, a_report, a_row, an_unknown_row

from assay.audit.finding import Finding, Kind
from assay.audit.told import Audit
from assay.gating.told import Gated, Part
from assay.report import Claim, Report
from assay.reports import annotations, codequality, ctrf, junit, sarif, summary
from assay.reports.checkout import Checkout
from assay.reports.formats import FORMATS, Told
from assay.reports.problems import Level, Problem, counting, problems
from assay.verdict import Verdict


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A repository with the app in a folder of its own."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "backend").mkdir()
    return Checkout.of(tmp_path / "backend")


def an_audit(*findings: Finding) -> Audit:
    return Audit(app="shop.celery", pool="prefork", findings=list(findings))


def a_finding(rule: str = "unread", kind: Kind = Kind.DEAD, **fields: Any) -> Finding:
    given = {"settings": ("task_max_retries",), "title": "task_max_retries=3", "observed": "nothing reads it"}
    return Finding(rule=rule, kind=kind, **{**given, "place": "shop/celery.py:60", **fields})


def test_a_place_is_told_from_the_repositorys_root(checkout: Checkout, tmp_path: Path) -> None:
    assert checkout.locate("shop/celery.py:41") == ("backend/shop/celery.py", 41)
    assert checkout.locate("../pyproject.toml:7") == ("pyproject.toml", 7)
    assert checkout.locate(f"{tmp_path}/other.py:3") == ("other.py", 3)
    assert checkout.locate("/usr/lib/python3/site.py:3") == ("", 1), "not in the repository"
    assert checkout.locate("") == ("", 1)
    (tmp_path / ".git").rmdir()
    assert Checkout.of(tmp_path / "backend").locate("shop/celery.py:41") == ("shop/celery.py", 41)


def test_a_place_is_told_from_where_the_server_has_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "backend").mkdir()
    config = tmp_path / "pyproject.toml"
    config.write_text('[tool.assay]\napp = "shop"\n\n[tool.assay.gate]\nmost_s = 10\n')
    assert Checkout.of(tmp_path / "backend", config).locate("../pyproject.toml:7") == ("pyproject.toml", 7)
    assert Checkout.of(tmp_path / "backend", config).locate(Checkout.of(tmp_path, config).config)[1] == 4
    for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
        assert Checkout.of(tmp_path / "backend").locate("shop/celery.py:41") == ("backend/shop/celery.py", 41)
        monkeypatch.setenv(name, "/elsewhere")
        assert Checkout.of(tmp_path / "backend").locate("shop/celery.py:41") == ("shop/celery.py", 41)


def test_every_problem_has_a_path_though_its_place_is_not_in_the_repository(tmp_path: Path) -> None:
    workdir = tmp_path / "src"
    workdir.mkdir()
    report = a_report(a_lost_row(place="../pyproject.toml:7"))
    alone = problems(report, None, Checkout.of(workdir))
    assert [(each.path, each.line) for each in alone] == [("shop/celery.py", 1)], "the app's module"
    config = workdir / "assay.toml"
    config.write_text("most = 1\n")
    assert [each.path for each in problems(report, None, Checkout.of(workdir, config))] == ["assay.toml"]
    document = json.loads(sarif.render(alone, exit_code=1))
    assert all(each["locations"] for each in document["runs"][0]["results"])
    assert json.loads(codequality.render(alone))[0]["location"]["path"] == "shop/celery.py"


def test_a_part_of_a_gate_that_nothing_else_tells_of_is_a_problem_at_the_line_of_its_demand(tmp_path: Path) -> None:
    config = tmp_path / "assay.toml"
    config.write_text('app = "shop"\n[gate]\nmost_s = 10\n')
    parts = [
        Part("suites", Verdict.VIOLATED, "1 claim does not hold"),
        Part("time", Verdict.VIOLATED, "60 s, of 10 s at most"),
        Part("landed faults", Verdict.HELD, "9"),
        Part("baseline", Verdict.UNKNOWN, "another app", refused=True),
    ]
    found = problems(a_report(a_lost_row()), None, Checkout.of(tmp_path, config), None, parts)
    assert [(each.rule, each.path, each.line, each.level) for each in found] == [
        ("claim/task_acks_late", "shop/celery.py", 41, Level.ERROR),
        ("gate/time", "assay.toml", 2, Level.ERROR),
        ("gate/baseline", "assay.toml", 2, Level.WARNING),
    ]
    blind = a_report(a_row(), canary="not judged: r")
    assert [each.rule for each in problems(blind, None, Checkout.of(tmp_path, config))] == ["canary"]
    red = a_gated(parts=parts[1:2])
    told = Told(a_report(a_row()), tmp_path, tmp_path, config, gated=red)
    assert "::error file=assay.toml,line=2,title=gate%3A time is violated::60 s" in annotations.render(
        told.problems(), "report.md"
    )
    extra = json.loads(FORMATS["ctrf"].render(told))["results"]["environment"]["extra"]
    assert (extra["exitCode"], extra["verdict"]) == (1, "violated")


def test_a_claim_is_one_problem_at_its_line_however_many_rows_it_breaks(checkout: Checkout) -> None:
    elsewhere = a_lost_row("acks_late.child_killed", "shop.mail", place="shop/tasks.py:9")
    rows = [a_lost_row(), a_lost_row("acks_late.quit_cold"), elsewhere, a_row()]
    found = problems(a_report(*rows), None, checkout)
    assert [(each.path, each.line, each.level) for each in found] == [
        ("backend/shop/celery.py", 41, Level.ERROR),
        ("backend/shop/tasks.py", 9, Level.ERROR),
    ]
    assert {each.rule for each in found} == {"claim/task_acks_late"}
    assert "2 violated rows" in found[0].text
    assert problems(a_report(a_row()), None, checkout) == [], "what holds is none"


def test_problems_are_told_the_worst_first_and_the_known_last(checkout: Checkout) -> None:
    risk = a_finding("hoards", Kind.RISK, title="worker_prefetch_multiplier=4", place="shop/celery.py:50")
    found = problems(a_red_report(), an_audit(risk, a_finding()), checkout)
    assert [each.level for each in found] == [Level.ERROR, Level.ERROR, Level.WARNING, Level.NOTE, Level.ERROR]
    assert [bool(each.known) for each in found] == [False] * 4 + [True]
    assert "unknown" in found[2].title
    assert (found[2].path, found[2].line) == ("backend/shop/celery.py", 1), "where most settings are given"


def test_what_an_audit_tells_of_a_dead_setting_is_not_told_twice(checkout: Checkout) -> None:
    dead = Claim(setting="task_max_retries=3", promise="p", verdict=Verdict.VIOLATED, place="shop/celery.py:60")
    report = a_report(a_row(), claims=[dead])
    assert [each.rule for each in problems(report, None, checkout)] == ["claim/task_max_retries"]
    assert [each.rule for each in problems(report, an_audit(a_finding()), checkout)] == ["audit/unread"]
    other = a_finding(place="shop/other.py:1")
    assert len(problems(report, an_audit(other), checkout)) == 2


def test_fingerprints_stay_when_lines_move_and_differ_between_problems(checkout: Checkout) -> None:
    def prints(report: Report) -> list[str]:
        return [each.fingerprint for each in problems(report, None, checkout)]

    before = prints(a_report(a_lost_row(), an_unknown_row(), a_lost_row(place="shop/celery.py:80")))
    after = prints(
        a_report(a_lost_row(place="shop/celery.py:44"), an_unknown_row(), a_lost_row(place="shop/celery.py:90"))
    )
    assert before == after
    assert len({*before}) == 3
    assert prints(a_report(a_lost_row(place="shop/tasks.py:41"))) != before[:1]


def a_sarif(checkout: Checkout) -> dict[str, Any]:
    known = a_finding(accepted="our base class reads it (docs)")
    report = msgspec.structs.replace(a_red_report(), started_at="2026-11-26T20:15:30+00:00")
    given = {"exit_code": 1, "command": report.command, "started_at": report.started_at}
    found: dict[str, Any] = json.loads(sarif.render(problems(report, an_audit(known), checkout), **given))
    return found


def test_sarif_is_valid_and_has_a_result_for_each_problem(checkout: Checkout) -> None:
    document = a_sarif(checkout)
    SarifLog.model_validate(document)
    (run,) = document["runs"]
    first = run["results"][0]
    where = first["locations"][0]["physicalLocation"]
    assert where == {
        "artifactLocation": {"uri": "backend/shop/celery.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 41},
    }
    assert (first["ruleId"], first["level"]) == ("claim/task_acks_late", "error")
    assert "set task_acks_late=True" in first["message"]["text"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[each["ruleIndex"]]["id"] for each in run["results"]] == [each["ruleId"] for each in run["results"]]
    assert all(rule["help"]["text"] and rule["shortDescription"]["text"] for rule in rules)
    assert all(each["partialFingerprints"] for each in run["results"])


def test_sarif_has_what_the_team_knows_as_suppressed(checkout: Checkout) -> None:
    results = a_sarif(checkout)["runs"][0]["results"]
    suppressed = {
        each["ruleId"]: each["suppressions"][0]["justification"] for each in results if "suppressions" in each
    }
    assert suppressed == {
        "claim/task_acks_late": "cold shutdown loses it (celery#1)",
        "audit/unread": "our base class reads it (docs)",
    }


def test_the_schema_of_sarif_refuses_what_is_none(checkout: Checkout) -> None:
    document = a_sarif(checkout)
    document["runs"][0]["results"][0]["level"] = "violated"
    with pytest.raises(ValidationError):
        SarifLog.model_validate(document)


def test_ctrf_counts_what_is_unknown_as_other_and_never_as_passed(checkout: Checkout) -> None:
    report = msgspec.structs.replace(a_red_report(), started_at="2026-11-26T20:15:30+00:00")
    budget = Part("budget", Verdict.VIOLATED, "it took 200 s, and 120 s are allowed")
    gated = a_gated(parts=[budget])
    document = json.loads(ctrf.render(report, checkout, gated))
    assert (document["reportFormat"], document["specVersion"]) == ("CTRF", "0.0.0")
    tests = {test["name"]: test for test in document["results"]["tests"]}
    assert {name: test["status"] for name, test in tests.items()} == {
        "gate: budget": "failed",
        "retries.gives_up[shop.charge]": "passed",
        "acks_late.main_killed[shop.charge]": "failed",
        "recycling.memory_limit[shop.charge]": "other",
        "acks_late.quit_cold[shop.charge]": "skipped",
        f"claim: {LATE}": "failed",
        "claim: task_max_retries=3": "failed",
        "claim: task_time_limit=600": "passed",
    }
    lost = tests["acks_late.main_killed[shop.charge]"]
    assert (lost["filePath"], lost["line"]) == ("backend/shop/celery.py", 41)
    assert all(isinstance(test["duration"], int) and isinstance(test["suite"], list) for test in tests.values())
    told = document["results"]["summary"]
    assert told["tests"] == sum(told[name] for name in ("passed", "failed", "skipped", "pending", "other")) == 8
    assert told["stop"] - told["start"] == 61_700
    assert told["start"] == 1_795_724_130_000


def test_code_quality_has_a_fingerprint_and_a_line_for_each_problem_that_counts(checkout: Checkout) -> None:
    found = problems(a_red_report(), an_audit(a_finding("hoards", Kind.RISK)), checkout)
    document = json.loads(codequality.render(found))
    assert [(each["severity"], each["location"]) for each in document][:1] == [
        ("critical", {"path": "backend/shop/celery.py", "lines": {"begin": 41}})
    ]
    assert [each["severity"] for each in document] == ["critical", "minor", "info"]
    assert len({each["fingerprint"] for each in document}) == len(document)
    assert all({"description", "check_name", "fingerprint", "severity", "location"} == each.keys() for each in document)


def test_annotations_are_escaped_as_github_reads_them(checkout: Checkout) -> None:
    row = a_lost_row(claim="task_routes={'a': 1, 'b': 2}", reason="100 % lost")
    (line,) = annotations.render(problems(a_report(row), None, checkout), "report.md").splitlines()
    assert line.startswith("::error file=backend/shop/celery.py,line=41,title=task_routes={'a'%3A 1%2C 'b'%3A 2} does")
    assert "100 %25 lost" in line
    assert line.endswith("%0ARemedy: set task_acks_late=True")


def test_of_many_annotations_the_tenth_says_how_many_more_there_are() -> None:
    def errors(number: int) -> list[Problem]:
        return [Problem(rule="r", about="a", level=Level.ERROR, title=f"t{each}", text="x") for each in range(number)]

    assert len(annotations.render(errors(10), "report.md").splitlines()) == 10
    lines = annotations.render(errors(13), "report.md in runs/1").splitlines()
    assert len(lines) == 10
    assert lines[-1] == "::error title=Assay::4 further problems of this kind: report.md in runs/1"


def test_nothing_is_annotated_where_all_holds_or_is_known(checkout: Checkout) -> None:
    found = problems(a_report(a_row(), a_lost_row(known="celery#1")), None, checkout)
    assert len(found) == 1
    assert counting(found) == []
    assert annotations.render(found, "report.md") == ""


def a_gated(**fields: Any) -> Gated:
    parts = [Part("suites", Verdict.VIOLATED, "1 claim does not hold", ["task_acks_late=False (shop/celery.py:41)"])]
    return Gated(**{"verdict": Verdict.VIOLATED, "exit_code": 1, "app": "shop", "parts": parts, **fields})


def test_a_summary_that_fits_has_all_of_the_report() -> None:
    text = summary.render(Told(a_red_report(), Path("runs/1"), gated=a_gated()))
    assert text.startswith("## ❌ Gate: violated, exit code 1\n\n| part | verdict | why |")
    assert text.index("## ❌ Gate") < text.index("## ❌ Assay: violated")
    assert "Left out" not in text
    assert "broker\\_url -&gt; redis://127.0.0.1:41573/0" in text


def test_a_summary_keeps_to_its_size_and_says_what_is_left_out_and_where_it_is() -> None:
    rows = [a_lost_row("acks_late.main_killed", f"shop.ä{number}") for number in range(9000)]
    text = summary.render(Told(a_report(*rows, redirected=["r"]), Path("runs/1")))
    assert 0.9 * summary.MOST < len(text.encode()) <= summary.MOST
    assert text.index("does not hold") < 2000, "the worst is told first"
    last = text.rstrip("\n").rpartition("\n")[2]
    assert last.startswith("> Left out, for the size that a summary may have: ")
    assert "lines and" in last
    assert last.endswith("report.md in the run folder runs/1 has all.")
    assert text.count("<details>") == text.count("</details>")


def test_a_summary_is_cut_by_bytes_and_never_in_the_middle_of_a_letter() -> None:
    told = Told(a_report(a_row()), Path("järn" * 50), gated=a_gated())
    assert all(len(summary.render(told, most=most).encode()) <= most for most in range(100, 430))


@pytest.mark.parametrize("most", [0, 10, 500, 900, 2000])
def test_a_summary_never_goes_beyond_what_is_left_of_the_size(most: int) -> None:
    told = Told(a_red_report(), Path("runs/1"), gated=a_gated())
    assert len(summary.render(told, most=most).encode()) <= most


def test_parts_of_a_gate_are_a_suite_of_their_own_in_junit() -> None:
    parts = [Part("audit", Verdict.HELD, "nothing found"), Part("baseline", Verdict.UNKNOWN, "nothing to compare")]
    text = junit.render(a_report(a_row()), None, parts)
    assert '<testsuite name="gate" tests="2" failures="0" errors="1"' in text
    assert 'testsuite name="gate"' not in junit.render(a_report(a_row()), None)
