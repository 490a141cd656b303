"""`assay run` over an app, and what its report says."""

import json
import time
from pathlib import Path
from typing import Any

from beds import APPS
from leftovers import assay

EXAMPLES = Path(__file__).parents[2] / "examples"
QUICK = ("child_killed_middle", "main_killed_middle", "hard_limit", "fails_then_succeeds", "consumed", "unknown_task")
Rows = dict[tuple[str, str], dict[str, Any]]


def run(
    tmp: Path,
    app: str,
    *arguments: str,
    scenarios: tuple[str, ...] = QUICK,
    cwd: Path = APPS,
    ends: tuple[int, ...] = (0, 1),
    **env: str,
) -> tuple[int, dict[str, Any]]:
    """(exit code, report.json) of a run that must end with one of these exit codes: with a verdict."""
    wanted = [word for name in scenarios for word in ("--scenario", name)]
    out = tmp / f"run-{time.monotonic_ns()}"
    status, said, err = assay(
        *("run", "-A", app, "--out", str(out), "--jobs", "4", *wanted, *arguments),
        cwd=cwd,
        tmp=tmp,
        env=env,
    )
    assert status in ends, f"exit {status}\n{said}\n{err}"
    report: dict[str, Any] = json.loads((out / "report.json").read_text())
    assert report["exit_code"] == status
    return status, report


def rows(report: dict[str, Any]) -> Rows:
    return {(row["scenario"], row["task"]): row for row in report["results"]}


def verdicts(report: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {" ".join(key): (row["verdict"], row["outcome"]) for key, row in rows(report).items()}


def claims(report: dict[str, Any], verdict: str = "violated") -> dict[str, dict[str, Any]]:
    return {claim["setting"].partition("=")[0]: claim for claim in report["claims"] if claim["verdict"] == verdict}
