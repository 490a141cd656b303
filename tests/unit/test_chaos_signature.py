"""Which red row of a run is made smaller."""

import pytest

from assay.chaos.signature import named, worst
from assay.errors import UsageError
from assay.verdict import Outcome, Result, Verdict


def row(scenario: str, task: str, outcome: Outcome, verdict: Verdict = Verdict.VIOLATED, known: str = "") -> Result:
    return Result(suite="chaos", scenario=scenario, task=task, fault="x", verdict=verdict, outcome=outcome, known=known)


LOST, TWICE = row("sigkill_child", "charge", Outcome.LOST), row("sigterm", "charge", Outcome.DUPLICATED)
OTHERS = row("sigterm", "mail", Outcome.DUPLICATED)
HELD = row("sigstop", "charge", Outcome.OK, Verdict.HELD)
KNOWN = row("sigquit", "charge", Outcome.LOST, known="T-1")
ROWS = [HELD, KNOWN, LOST, TWICE, OTHERS]


def test_without_a_name_it_is_the_worst_and_with_one_that() -> None:
    assert worst(ROWS) is LOST
    assert named(ROWS, "chaos.sigkill_child") is LOST
    assert named(ROWS, "sigterm", "mail") is OTHERS


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("sigterm",), "sigterm is red for charge, mail: say with --task"),
        (
            ("sigstop",),
            "no row sigstop is red in this run; red are chaos.sigkill_child charge, chaos.sigterm charge, ",
        ),
        (("chaos.sigquit",), "no row chaos.sigquit is red"),
        (("sigkill_child", "mail"), "no row sigkill_child mail is red"),
    ],
)
def test_a_row_that_is_not_red_or_red_more_than_once_is_told(asked: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        named(ROWS, *asked)
    assert str(caught.value).startswith(said)
