"""`assay chaos` over the twin, small enough for a test."""

import json
from pathlib import Path
from typing import Any

from beds import APPS
from leftovers import assay

FAULTS = "sigkill-child,sigkill-main,sigkill-group,sigstop,connection-reset"
LOSES = "early,lost_is_no_retry,keeps_lost"
TEN_LINES = ("-A", "twin:app", "--task", "work", "--tasks", "120", "--intensity", "0.2")


def chaos(tmp: Path, *arguments: str, seed: int = 3, flips: str = "", out: str = "run") -> tuple[int, dict[str, Any]]:
    status, said, err = assay(
        *("chaos", *TEN_LINES, "--seed", str(seed), "--out", str(tmp / out), *arguments),
        cwd=APPS,
        tmp=tmp,
        env={"ASSAY_TEST_FLIP": flips},
    )
    assert status in (0, 1), f"exit {status}\n{said}\n{err}"
    report: dict[str, Any] = json.loads((tmp / out / "report.json").read_text())
    return status, report


def rows(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["scenario"]: row for row in report["results"]}


def not_held(report: dict[str, Any]) -> str:
    """A line for each row that is not green, with its reason; for a failing test to show whole."""
    return "\n".join(
        f"{row['scenario']} {row['task']}: {row['verdict']} {row['outcome']}: {row['reason']}"
        for row in report["results"]
        if row["verdict"] != "held"
    )
