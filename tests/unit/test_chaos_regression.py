"""A shrunk script becomes a test that compiles and reads like a sentence."""

import ast
from pathlib import Path

import msgspec
import pytest
from targets import subject, task

from assay.chaos.regression import rendered, write_test
from assay.chaos.script import ChaosScript, Strike, Workload
from assay.conclusion import Facts
from assay.errors import UsageError
from assay.event import Point
from assay.fault import STRIKING
from assay.verdict import Judgement, Outcome, Result, Verdict

SHOP = subject(task(name="shop.charge"))
FACTS = Facts(
    subject=SHOP, broker="fakeredis", broker_version="", pool="prefork", cold=False, live=False, members={},
    demanded="at_least_once",
)  # fmt: skip
ROW = Result(
    suite="chaos",
    scenario="x",
    task="shop.charge",
    fault="SIGKILL child",
    verdict=Verdict.VIOLATED,
    outcome=Outcome.LOST,
    judgements=[Judgement("delivery", Verdict.VIOLATED, "lost")],
)


def small(*faults: str, numbers: tuple[int, ...] = (3, 5)) -> ChaosScript:
    workload = Workload(tasks=("shop.charge",), number=9, only=numbers[: len(faults)], work_s=0.0)
    strikes = [
        Strike(fault=fault, invocation=number, point=Point.BODY_MIDDLE, lasts_s=0.5 if fault == "SIGSTOP" else 0.0)
        for fault, number in zip(faults, numbers, strict=False)
    ]
    return ChaosScript(seed=7, workers=1, concurrency=1, workload=workload, faults=tuple(strikes))


@pytest.mark.parametrize("fault", STRIKING)
def test_each_fault_becomes_a_line_of_it(fault: str) -> None:
    text = rendered(small(fault), small(fault, "SIGTERM"), ROW, FACTS, 5, 5)
    ast.parse(text)
    assert f'    assay_cluster.strike(charge, "{fault}", "body_middle"' in text
    assert "made smaller from 2 faults to 1" in text
    assert max(map(len, text.splitlines())) < 140


def test_arguments_and_results_are_as_large_as_they_were() -> None:
    one = small("SIGTERM")
    one = msgspec.structs.replace(one, workload=msgspec.structs.replace(one.workload, sizes=(5_000,)))
    text = rendered(one, one, ROW, FACTS, 5, 5)
    assert 'send("shop.charge", Act(work_s=0.0, result_bytes=5000), hold="body_middle", args=["x" * 5000])' in text


def test_several_of_one_task_have_their_numbers() -> None:
    text = rendered(small("SIGKILL child", "SIGSTOP"), small("SIGKILL child"), ROW, FACTS, 4, 5)
    assert "def test_charge_is_not_lost_by_sigkill_child_and_sigstop(assay_cluster):" in text
    assert 'charge_5 = assay_cluster.send("shop.charge"' in text
    assert 'assay_cluster.strike(charge_5, "SIGSTOP", "body_middle", lasts_s=0.5)' in text
    assert 'Delivery(contract="at_least_once", ids=[charge_3, charge_5])' in text
    assert "red in 4 of 5 runs" in text


def test_each_cause_has_a_file_of_its_own(tmp_path: Path) -> None:
    one, other = small("SIGKILL child"), small("SIGTERM")
    paths = {write_test(script, script, ROW, FACTS, 5, 5, tmp_path / "new") for script in (one, one, other)}
    assert len(paths) == 2
    assert all(path.name.startswith("test_regress_") for path in paths)


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"):
        write_test(small("SIGTERM"), small("SIGTERM"), ROW, FACTS, 5, 5, tmp_path / "file")


def test_a_name_that_python_has_taken_is_given_another() -> None:
    shop = subject(task(name="catalog.import"), task(name="catalog.2fa"))
    for name in ("catalog.import", "catalog.2fa"):
        one = small("SIGTERM")
        one = msgspec.structs.replace(one, workload=msgspec.structs.replace(one.workload, tasks=(name,)))
        row = msgspec.structs.replace(ROW, task=name)
        ast.parse(rendered(one, one, row, msgspec.structs.replace(FACTS, subject=shop), 5, 5))


def red_by(checker: str) -> Result:
    judgements = [Judgement("evidence", Verdict.HELD, "landed"), Judgement(checker, Verdict.VIOLATED, "red")]
    return msgspec.structs.replace(ROW, judgements=judgements)


@pytest.mark.parametrize(
    ("checker", "asks"),
    [
        ("stops", "Stops()"),
        ("reached", "Reached()"),
        ("delivery", "Delivery("),
        ("final_state", 'FinalState(ids=[charge], states=["SUCCESS"])'),
    ],
)
def test_it_asks_what_was_red(checker: str, asks: str) -> None:
    text = rendered(small("SIGTERM"), small("SIGTERM"), red_by(checker), FACTS, 5, 5)
    assert f"assay_cluster.check({asks}" in text
    assert f"from assay.checkers import {asks.partition('(')[0]}\n" in text


@pytest.mark.parametrize("checker", ["liveness", "published"])
def test_what_only_a_whole_run_can_be_asked_becomes_no_test_that_cannot_fail(checker: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no question of one invocation"):
        write_test(small("SIGTERM"), small("SIGTERM"), red_by(checker), FACTS, 5, 5, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_fault_that_waits_for_a_start_becomes_no_test_and_that_is_said(tmp_path: Path) -> None:
    strike = Strike(fault="SIGTERM", task="shop.charge", nth=7, point=Point.BODY_MIDDLE)
    aimed = msgspec.structs.replace(small("SIGTERM"), faults=(strike,))
    with pytest.raises(UsageError, match=r"SIGTERM waits for attempt 7 of shop.charge.*its script is kept"):
        write_test(aimed, aimed, ROW, FACTS, 5, 5, tmp_path)


def test_what_a_test_cannot_say_is_told(tmp_path: Path) -> None:
    later = small("SIGTERM")
    later = msgspec.structs.replace(later, faults=(msgspec.structs.replace(later.faults[0], attempt=2),))
    with pytest.raises(UsageError, match="struck in a later attempt or more than once"):
        write_test(later, later, ROW, FACTS, 5, 5, tmp_path)
