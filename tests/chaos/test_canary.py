"""Each run breaks one configuration on purpose, and is unknown where it does not see what comes of it."""

from dataclasses import replace
from pathlib import Path

import pytest
from beds import Bed, reported, settings

from assay import canary
from assay.progress import Silent
from assay.report import CANARY_LOST
from assay.run import check_again, run
from assay.scaling import countdowns
from assay.selection import Selection
from assay.verdict import Result, Verdict

ONE = ("acks_late.group_killed_middle",)


def test_given_a_harness_that_sees_then_the_canary_is_lost_and_is_no_row(tmp_path: Path) -> None:
    wanted = Selection(tasks=("work",), scenarios=ONE)
    report = run(settings(Bed(), tmp_path / "run", canary=True), wanted, Silent())
    assert (report.canary, report.exit_code, len(report.results)) == (CANARY_LOST, 0, 1)
    assert check_again(tmp_path / "run").canary == CANARY_LOST


def test_given_a_canary_that_is_not_broken_then_the_harness_is_called_blind_and_nothing_is_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(canary, "SCENARIO", replace(canary.SCENARIO, scale=countdowns))
    report = reported(Bed(), ONE, canary=True)
    assert report is not None
    assert report.verdict is Verdict.UNKNOWN
    assert report.exit_code == 3
    assert report.canary.startswith("not judged: waited 10 s for the early acknowledgement of the canary")


def test_given_a_loss_that_was_called_held_then_the_harness_is_called_blind() -> None:
    held = Result(
        suite="canary", scenario="acks_early", task="twin.work", members=[], fault="SIGKILL group", verdict=Verdict.HELD
    )
    said = "the harness is blind: twin.work, acknowledged early and killed with its worker, was to be lost"
    assert canary.told(held).startswith(said)


@pytest.mark.parametrize("changes", [{"pool": "solo"}, {"canary": False}])
def test_given_a_pool_without_children_or_no_wish_for_it_then_there_is_none(changes: dict[str, object]) -> None:
    report = reported(Bed(pool=str(changes.get("pool", "prefork"))), ONE, **{"canary": True, **changes})
    assert report is not None
    assert report.canary == ""
    told = [note for note in report.redirected if note.startswith("no canary: it needs pool prefork, and this one is ")]
    assert len(told) == ("pool" in changes), "nobody wonders about what he has turned off"
