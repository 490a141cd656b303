"""What a CI server shows of a run by itself: annotations and a job summary, on GitHub Actions."""

import os
from pathlib import Path

from assay.errors import UsageError
from assay.exits import say
from assay.reports.formats import Told


def show_on_ci(told: Told, *, summarised: bool, error: bool) -> None:
    """`summarised`: a summary was asked for elsewhere. `error`: stdout carries a file.

    A summary that cannot be written changes no verdict: it is told, and that is all.
    """
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from assay.reports import annotations

        say(annotations.render(told.problems(), f"report.md in {told.folder}"), error=error)
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if place and not summarised:
        _append(told, Path(place))


def _append(told: Told, path: Path) -> None:
    """An earlier command of the same step may have written there: the limit is of both."""
    from assay.reports import summary

    try:
        there = path.stat().st_size if path.exists() else 0
        text = summary.render(told, most=max(0, summary.MOST - there - 1))
        with path.open("a", encoding="utf-8") as file:
            file.write("\n" * bool(there) + text)
    except OSError as failed:
        try:
            say(f"assay: GITHUB_STEP_SUMMARY: {path} cannot be written: {failed.strerror}\n", error=True)
        except UsageError:
            return
