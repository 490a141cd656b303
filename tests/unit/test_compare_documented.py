"""docs/compare.md: its kinds and codes are those of a comparison, and its example is what one says."""

import re
import shlex
from pathlib import Path

import pytest
from report_by_hand import a_report, a_row
from test_compare import app

from assay.cli import main
from assay.compare import compare
from assay.compare.comparison import UNPROVED, WORSE, Kind
from assay.reports.compare import render
from assay.verdict import Outcome

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "compare.md").read_text(encoding="utf-8")


def test_every_kind_is_documented_with_its_exit_code() -> None:
    rows = re.findall(r"^\| ([a-z ,]+) \| .+ \| (\d) \|$", PAGE, flags=re.MULTILINE)
    assert rows == [(str(kind), "1" if kind in WORSE else "3" if kind in UNPROVED else "0") for kind in Kind]


def test_the_example_is_what_is_said() -> None:
    reports = []
    for late, outcome in ((True, Outcome.RECOVERED), (False, Outcome.LOST)):
        given = app({"task_acks_late": late})
        given["origins"]["task_acks_late"]["place"] = "shop.py:4"
        row = a_row("acks_late.main_killed_middle", fault="SIGKILL main", outcome=outcome, recovery_s=None)
        reports.append(a_report(row, app=given))
    said = render(compare(reports[:1], reports[1]), width=100, color=False)
    shown = PAGE.partition("```text\n")[2].partition("```")[0].rstrip("\n")
    assert said.startswith(shown)


@pytest.mark.parametrize("page", ["compare.md", "against.md", "blame.md"])
def test_every_command_that_is_shown_can_be_typed(page: str) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    shown = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    assert shown
    for program, name, *arguments in shown:
        assert program == "assay"
        main.commands[name].make_context(name, arguments)
