"""`trend`: each guarantee over many runs, what was changed between them, and which rows were not the same in all."""

from report_by_hand import a_report, a_row
from test_compare import app

from assay.compare.trend import trend
from assay.report import Report
from assay.reports.trend import render
from assay.verdict import Outcome, Verdict


def a_run(day: int, recovery_s: float | None, late: bool = True) -> Report:
    lost = {} if recovery_s is not None else {"outcome": Outcome.LOST, "verdict": Verdict.VIOLATED}
    row = a_row(claim=f"task_acks_late={late}", recovery_s=recovery_s, **lost)
    rows = [row, a_row("retries.gives_up", outcome=Outcome.FAILED, recovery_s=None)]
    return a_report(*rows, app=app({"task_acks_late": late}), started_at=f"2026-11-0{day}T10:00:00+00:00")


def test_given_runs_in_any_order_then_a_guarantee_has_a_mark_for_each_and_its_recovery() -> None:
    found = trend([a_run(3, None, late=False), a_run(1, 0.4), a_run(2, 3.0)])
    late, other = found.guarantees
    assert (late.setting, late.held, late.rows) == ("task_acks_late", [1, 1, 0], [1, 1, 1])
    assert late.recovery_s == [0.4, 3.0, None]
    assert (other.setting, other.verdicts) == ("without a claim", [Verdict.HELD] * 3)
    assert [(row.scenario, row.words) for row in found.unsteady] == [
        ("acks_late.main_killed", ["at-least-once", "at-least-once", "lost"])
    ]
    said = render(found, width=100, color=False)
    assert "✓✓✗" in said
    assert "2026-11-03T10:00:00+00:00: task_acks_late: True -> False, shop/celery.py:41" in said
    assert "acks_late.main_killed shop.charge: at-least-once (2 runs) -> lost" in " ".join(said.split())
    assert "0.4 s to 3.0 s" in said


def test_given_a_terminal_without_such_letters_then_marks_and_bars_are_others() -> None:
    said = render(trend([a_run(1, 0.4), a_run(2, 3.0)]), width=100, color=False, ascii_only=True)
    assert said.isascii()
    assert "++" in said
    assert ".#" in said or "_#" in said


def test_given_one_run_then_nothing_was_changed() -> None:
    found = trend([a_run(1, 0.4)])
    assert (found.changed, found.unsteady) == ([[]], [])
