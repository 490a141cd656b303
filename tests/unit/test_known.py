"""Known findings mark violations, never anything else, and tell when they are of no use."""

from datetime import date
from typing import Any

from report_by_hand import a_lost_row, a_row, an_unknown_row

from assay.known import Known, mark_known

TODAY = date(2026, 11, 23)


def an_entry(scenario: str = "acks_late.*", **fields: Any) -> Known:
    return Known(scenario=scenario, reason="Celery loses it", upstream="celery#1", **fields)


def test_a_violated_row_that_fits_is_marked_with_the_reason() -> None:
    row = a_lost_row()

    assert mark_known([row], [an_entry()], TODAY) == []
    assert row.known == "Celery loses it (celery#1)"


def test_a_pattern_that_fits_a_member_of_the_profile_fits_the_row() -> None:
    row = a_lost_row(members=["shop.charge", "blog.post"])
    mark_known([row], [an_entry(task="blog.*")], TODAY)

    assert row.known


def test_given_a_name_that_reads_as_a_pattern_then_it_names_its_task() -> None:
    row, other = a_lost_row(task="shop.rate[eu]"), a_lost_row(task="shop.rate")
    mark_known([row, other], [an_entry(task="shop.rate[eu]")], TODAY)

    assert (bool(row.known), other.known) == (True, "")


def test_other_tasks_and_scenarios_stay_violated() -> None:
    row, other = a_lost_row(task="shop.a"), a_lost_row("retries.gives_up", task="blog.b")
    mark_known([row, other], [an_entry(task="blog.*")], TODAY)

    assert (row.known, other.known) == ("", "")


def test_unknown_is_never_excused() -> None:
    row = an_unknown_row("acks_late.main_killed")

    assert mark_known([row], [an_entry()], TODAY) == []
    assert row.known == ""


def test_an_expired_entry_does_not_count_and_is_told() -> None:
    row = a_lost_row()
    told = mark_known([row], [an_entry(expires=date(2026, 11, 22))], TODAY)

    assert row.known == ""
    assert "expired on 2026-11-22" in told[0]


def test_on_its_last_day_an_entry_counts() -> None:
    row = a_lost_row()
    mark_known([row], [an_entry(expires=TODAY)], TODAY)

    assert row.known


def test_a_finding_that_no_longer_shows_is_told_but_not_one_that_was_not_run() -> None:
    told = mark_known([a_row()], [an_entry(), an_entry("retries.*")], TODAY)

    assert len(told) == 1
    assert told[0].startswith("no longer shows")


def test_given_an_entry_for_a_task_that_the_app_does_not_have_then_an_old_run_tells_it() -> None:
    entries = [an_entry(task="shop.chrge"), an_entry(task="blog.*"), an_entry(task="shop.*")]
    told = mark_known([a_lost_row()], entries, TODAY, ["shop.charge"])

    assert [line.partition(": ")[2].partition(" (")[0] for line in told] == [
        "acks_late.* for shop.chrge",
        "acks_late.* for blog.*",
    ]
    assert all(line.startswith("the app has no such task, so it counts for nothing: ") for line in told)
