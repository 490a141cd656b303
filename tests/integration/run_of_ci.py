"""A run as CI uploads it to AutoTest's reliability page, written by hand."""

from __future__ import annotations

from typing import Any

from assay.report import Claim, Report
from assay.verdict import Outcome, Result, Verdict

LATE = {"task_acks_late": True, "task_time_limit": 600}


def a_run(
    outcome: Outcome = Outcome.RECOVERED,
    *,
    started_at: str = "2026-03-01T12:00:00+00:00",
    app: str = "shop",
    settings: dict[str, Any] = LATE,
    **fields: Any,
) -> Report:
    """A run of one row; lost work is violated, and everything else held."""
    verdict = Verdict.VIOLATED if outcome is Outcome.LOST else Verdict.HELD
    row = Result(
        suite="acks_late",
        scenario="child_killed_middle",
        task=f"{app}.charge",
        fault="SIGKILL child",
        claim="task_acks_late=True",
        promise="a task whose worker is lost runs again",
        place=f"{app}/celery.py:41",
        outcome=outcome,
        verdict=verdict,
        recovery_s=0.4 if outcome is Outcome.RECOVERED else None,
        injected=3,
        landed=3,
        reason="acknowledged 2 ms after its delivery" if outcome is Outcome.LOST else "",
    )
    told = {
        "name": app,
        "module": f"{app}.celery",
        "settings": settings,
        "origins": {key: {"given": key, "place": f"{app}/celery.py:41"} for key in settings},
        "tasks": {f"{app}.charge": {"name": f"{app}.charge", "place": f"{app}/tasks.py:3"}},
    }
    where, tasks = f"{app}/celery.py:41", [f"{app}.charge"]
    claim = Claim(setting="task_acks_late=True", promise="runs again", verdict=verdict, place=where, tasks=tasks)
    given = {
        "app": told,
        "broker": {"name": "fakeredis", "version": "2.40.0"},
        "environment": {"celery": "5.7.0", "pool": "prefork"},
        "claims": [claim],
        "landed": 3,
        "duration_s": 61.7,
        "command": "assay run",
    }
    return Report(
        verdict=verdict,
        exit_code=int(verdict is Verdict.VIOLATED),
        results=[row],
        started_at=started_at,
        **{**given, **fields},
    )
