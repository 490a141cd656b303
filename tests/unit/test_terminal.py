"""The terminal report, as a person reads it at 80 and 160 columns."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_by_hand import LATE, a_lost_row, a_red_report, a_report, a_row, an_unknown_row
from rich.cells import cell_len

from assay.report import Claim, Report
from assay.reports import markdown
from assay.reports.causes import causes
from assay.reports.terminal import render
from assay.verdict import BESIDE, Judgement, Outcome, Result, Verdict

TASKS = ["myapp.views.celery_views.execute_python_script", "shop.charge", "shop.mail", "blog.post", "报表.生成月度报表"]


def a_wide_report(profiles: int) -> Report:
    scenarios = [f"acks_late.child_killed_at_point_number_{number}" for number in range(45)]
    rows = [
        a_row(name, task, recovery_s=index / 2) for name in scenarios for index, task in enumerate(TASKS[:profiles])
    ]
    rows[0] = a_lost_row(scenarios[0], TASKS[0])
    return a_report(*rows)


def told(report: Report, width: int = 100, **options: bool) -> str:
    return render(report, Path("run"), width=width, **{"color": False, **options})


def test_the_verdict_is_the_first_and_the_last_thing() -> None:
    lines = told(a_red_report(), 120).splitlines()

    assert lines[0] == "✗ VIOLATED  shop: 2 claims do not hold: 1 violated, 1 unknown, 1 held, 1 known violation"
    assert lines[-1] == "VIOLATED, exit code 1: a promise of the configuration was broken"


def test_what_broke_has_setting_place_remedy_outcome_and_reason() -> None:
    assert """
  ✗ task_acks_late=False  shop/celery.py:41
    promise    at most once
    remedy     set task_acks_late=True
    observed   acks_late.main_killed: acknowledged 2 ms after its delivery, and nobody will run it again
    rows       1: 1 lost; shop.charge
    scenarios  acks_late: main_killed
    faults     kill main
""" in told(a_red_report(), 120)


def test_sections_come_in_the_order_of_their_urgency() -> None:
    text = told(a_red_report())
    heads = ["Claims that do not hold (2), behind 1 violated row", "Unknown (1)", "Outcomes", "Known violations (1)"]
    places = [
        text.index(head)
        for head in [*heads, "Changed for the run", "Scaled for the run", "evidence", "recorded in", "next"]
    ]

    assert places == sorted(places)


def test_a_claim_that_a_violated_row_tells_is_not_told_twice() -> None:
    assert told(a_red_report()).count("task_acks_late=False") == 1


def test_forty_rows_of_one_setting_are_one_thing_to_mend() -> None:
    names = [f"{suite}.s{number}" for suite in ("acks_late", "canvas") for number in range(10)]
    rows = [a_lost_row(name, task, reason=f"pid {name}") for name in names for task in TASKS[1:3]]
    rows[0] = a_lost_row(names[0], TASKS[1], outcome=Outcome.FAILED)
    text = told(a_report(*rows))

    assert "Claims that do not hold (1), behind 40 violated rows" in text
    assert text.count("set task_acks_late=True") == 1
    assert text.count("observed") == 1
    assert "observed   acks_late.s0: pid acks_late.s0" in text
    assert "rows       40: 39 lost, 1 failed; every task" in text
    assert "scenarios  acks_late: s0, s1, s2 and 7 more; canvas: s0, s1, s2 and 7 more" in text


def test_the_worst_cause_is_the_first_and_what_no_setting_is_behind_is_told_apart() -> None:
    mild = a_lost_row("a.s", claim="mild=1", outcome=Outcome.FAILED)
    bare = [a_lost_row(f"chaos.{name}", "*", claim="") for name in ("workers_stop", "fresh_tasks")]
    found = [cause.setting for cause in causes(a_report(mild, a_lost_row(), *bare))]

    assert found == [LATE, "chaos.workers_stop, without a claim", "chaos.fresh_tasks, without a claim", "mild=1"]


def test_the_example_is_the_one_with_the_fewest_invocations_and_the_next_command_runs_it_again() -> None:
    def row(name: str, attempted: int) -> Result:
        lost = Judgement("delivery", Verdict.VIOLATED, "lost", Outcome.LOST, (name,), None, {"attempted": attempted})
        return a_lost_row(f"a.{name}", judgements=[lost])

    text = told(a_report(row("many", 5), row("alone", 1)))
    assert "observed   a.alone: " in text
    assert "--scenario a.alone" in text
    assert "assay show run alone" in text


def test_a_long_story_is_cut_where_a_part_ends_and_whole_in_report_md() -> None:
    report = a_report(a_lost_row(reason="; ".join(f"part {number} {'x' * 90}" for number in range(9))))

    assert "; and more, in report.md" in " ".join(told(report).split())
    assert "part 8" not in told(report)
    assert "part 8" in markdown.render(report).partition("<details>")[0]


def test_unknown_rows_with_one_reason_are_one_entry() -> None:
    text = told(a_report(*(an_unknown_row(f"recycling.s{number}") for number in range(10))))

    assert text.count("the fault never landed") == 1
    assert "and 2 more scenarios" in text


@pytest.mark.parametrize("width", [60, 80, 160])
@pytest.mark.parametrize("profiles", [1, 2, 3, 5])
def test_no_line_is_wider_than_the_terminal_but_commands(profiles: int, width: int) -> None:
    lines = told(a_wide_report(profiles), width).splitlines()

    assert [line for line in lines if cell_len(line) > width and not line.startswith("next")] == []


@pytest.mark.parametrize("profiles", [1, 2, 3, 5])
def test_at_80_columns_a_scenario_is_one_line(profiles: int) -> None:
    lines = told(a_wide_report(profiles), 80).splitlines()
    matrix = lines[lines.index("acks_late") :]

    assert sum("child_killed_at_point_number" in line for line in matrix) == 46  # and the command to go on with


def test_wide_enough_it_is_a_table_with_a_column_for_each_profile() -> None:
    text = told(a_wide_report(5), 160)

    assert (
        "child_killed_at_point_number_1   ✓ recovered <0.1 s  ✓ recovered 0.5 s   ✓ recovered 1.0 s   "
        "✓ recovered 1.5 s   ✓ recovered 2.0 s"
    ) in text


def test_too_narrow_for_columns_it_groups_by_outcome() -> None:
    text = told(a_wide_report(5), 80)

    assert "child_killed_at_point_number_0   ✗ lost A   ✓ recovered 2.0 s B,C,D,E" in text
    assert "child_killed_at_point_number_1   ✓ recovered 2.0 s\n" in text
    assert "an outcome without letters is that of all of them" in text


def test_members_of_a_profile_are_named() -> None:
    members = ["shop.charge", *(f"shop.job_{number}" for number in range(12))]
    text = told(a_report(a_row(members=members)))

    assert "counts for shop.job_0, shop.job_1" in text
    assert "4 more, named in report.md" in " ".join(text.split())


def test_a_task_that_a_scenario_does_not_apply_to_has_a_dash() -> None:
    text = told(a_report(a_row("a.one", "x"), a_row("a.one", "y"), a_row("a.two", "x")))

    assert "two  ✓ recovered 0.4 s  -\n" in text


def test_two_faults_of_one_scenario_are_two_rows() -> None:
    text = told(a_report(a_row("a.s", fault="kill main"), a_row("a.s", fault="kill child")))

    assert "s kill main   ✓" in text
    assert "s kill child  ✓" in text


def test_without_colour_there_is_no_escape_code_and_with_it_there_is() -> None:
    assert "\x1b" not in told(a_red_report())
    assert "\x1b[" in told(a_red_report(), color=True)


def test_colour_only_repeats_what_words_say() -> None:
    import re

    colored = re.sub(r"\x1b\[[0-9;]*m", "", told(a_red_report(), color=True))
    assert colored.split() == told(a_red_report()).split()


def test_a_terminal_without_unicode_gets_ascii() -> None:
    assert told(a_red_report(), ascii_only=True).isascii()


def test_markup_and_escape_codes_of_the_user_are_shown_not_obeyed() -> None:
    text = told(a_report(a_lost_row(reason="[red]x[/red] :smile: \x1b[2J")), color=True)

    assert "[red]x[/red] :smile: \\x1b[2J" in text


@given(st.lists(st.text(max_size=40), min_size=1, max_size=4), st.integers(60, 180), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_words_are_told_within_the_width(words: list[str], width: int, ascii_only: bool) -> None:
    rows = [a_lost_row("a.s", task=word, reason=word, claim=word, members=[word, *words]) for word in words]
    lines = told(a_report(*rows), width, ascii_only=ascii_only).splitlines()

    assert [line for line in lines if cell_len(line) > width and not line.startswith("next")] == []


def test_a_claim_that_known_findings_alone_break_is_named_beside_the_count() -> None:
    claim = Claim(setting=LATE, verdict=Verdict.VIOLATED, promise="it runs again")
    assert f"claims 0 of 1 held; known findings alone break {LATE}" in " ".join(
        told(a_report(a_row(), a_lost_row(known="celery#1"), claims=[claim])).split()
    )
    assert "known findings alone" not in told(a_report(a_row(), a_lost_row(), claims=[claim]))


def test_given_violated_rows_with_and_without_a_claim_then_head_and_foot_count_the_same_claims() -> None:
    claims = [
        Claim(setting=LATE, verdict=Verdict.VIOLATED, promise="it runs again"),
        Claim(setting="other=1", verdict=Verdict.HELD, promise="p"),
        Claim(setting="doubt=1", verdict=Verdict.UNKNOWN, promise="p"),
    ]
    text = told(a_report(a_lost_row(), a_lost_row("a.s", claim=""), claims=claims), 120)

    assert "1 claim and 1 scenario without a claim do not hold: 2 violated" in text
    assert "Claims that do not hold (1), scenarios without a claim that do not hold (1), behind 2 violated rows" in text
    assert "claims       1 of 3 held, 1 unknown\n" in text
    bare = told(a_report(a_lost_row("a.s", claim="")))
    assert "1 scenario without a claim does not hold: 1 violated" in bare
    assert "Scenarios without a claim that do not hold (1), behind 1 violated row" in bare


def test_given_cells_that_name_a_verdict_then_the_legend_explains_it() -> None:
    rows = [
        a_row("a.held", outcome=None, recovery_s=None),
        a_lost_row("a.violated", outcome=Outcome.OK),
        an_unknown_row("a.unknown"),
    ]
    legend = told(a_report(*rows)).partition("Read it so")[2]

    assert all(f"\n  {word}: " in legend for word in ("held", "violated", "unknown"))
    assert "\n  held: " not in told(a_report(a_row())).partition("Read it so")[2]


def test_given_what_was_lost_beside_a_fault_then_the_fault_that_struck_its_worker_is_named() -> None:
    lost = Judgement("delivery", Verdict.VIOLATED, "lost", Outcome.LOST, (), None, {"lost": 2, BESIDE: {"SIGTERM": 2}})
    rows = [
        a_lost_row("chaos.sigkill_main", fault="SIGKILL main"),
        a_lost_row("chaos.not_struck", fault="none (under load)", judgements=[lost]),
    ]
    text = " ".join(told(a_report(*rows), 140).split())
    assert "faults SIGKILL main; not_struck: SIGTERM, which struck their workers" in text
    assert "none (under load)" not in text.partition("Outcomes")[0]


def test_given_rows_with_several_remedies_then_each_is_told_with_its_promise_and_its_rows() -> None:
    rows = [
        a_lost_row("a.one"),
        a_lost_row("a.two"),
        a_lost_row("a.poison", outcome=Outcome.LOOPING, promise="it ends", remedy="count them"),
        a_lost_row("a.beyond", outcome=Outcome.LOOPING, promise="it ends", remedy=""),
    ]
    assert """
    promise   at most once
    remedy    set task_acks_late=True
    for       2 of 4 rows; a: one, two
    promise   it ends
    remedy    count them
    for       1 of 4 rows; a: poison
    remedy    none is known
    for       1 of 4 rows; a: beyond
    observed  a.one""" in told(a_report(*rows))
