"""A fault that waits for the nth start of a task strikes that one, whichever worker and process it comes to."""

from pathlib import Path

import pytest
from beds import Bed, settings
from campaigns import LOSES

from assay.chaos.run import chaos
from assay.chaos.script import ChaosScript, Strike, Workload
from assay.event import Kind, Point
from assay.history import History
from assay.progress import Silent
from assay.verdict import Outcome, Verdict

IN_BODY = Strike(fault="SIGKILL child", task="twin.work", nth=7, point=Point.BODY_MIDDLE)
AT_ITS_END = Strike(fault="SIGKILL main", task="twin.work", nth=23, point=Point.AFTER_TRACE)
SCRIPT = ChaosScript(
    seed=3, workload=Workload(tasks=("twin.work", "twin.other"), number=80), faults=(IN_BODY, AT_ITS_END)
)


@pytest.mark.parametrize("flips", ["", LOSES], ids=["as it should be", "loses"])
def test_given_two_workers_then_the_nth_start_of_all_of_them_is_struck_and_no_other(flips: str, tmp_path: Path) -> None:
    bed = Bed(flips=tuple(filter(None, flips.split(","))))
    report = chaos(settings(bed, tmp_path / "run"), lambda it: SCRIPT, Silent())
    started, landed, workers = dict[int, tuple[str, int]](), list[tuple[str, str]](), set[str]()
    counted = []
    for event in History(tmp_path / "run/chaos"):
        if event.kind is Kind.ATTEMPT_STARTED and "nth" in event.detail:
            assert event.task == "twin.work", "nobody waits for another one's"
            counted.append(event.detail["nth"])
            started[event.detail["nth"]] = event.invocation, event.detail["start"]
            workers.add(event.worker)
        elif event.kind is Kind.FAULT_LANDED:
            landed.append((str(event.detail["fault"]), event.invocation))
    assert len(workers) >= 2
    assert sorted(counted) == list(range(1, len(counted) + 1)), "each start has a number of its own"
    assert sorted(landed) == [("SIGKILL child", started[7][0]), ("SIGKILL main", started[23][0])]
    rows = {row.scenario: row for row in report.results}
    expected = (Verdict.VIOLATED, Outcome.LOST) if flips else (Verdict.HELD, Outcome.RECOVERED)
    assert (rows["sigkill_child"].verdict, rows["sigkill_child"].outcome) == expected, rows["sigkill_child"].reason
    assert rows["sigkill_main"].verdict is Verdict.HELD, rows["sigkill_main"].reason
