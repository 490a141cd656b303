"""Progress: plain lines, silence, and the live bar all take the same calls."""

import io
from typing import Any

import pytest
from report_by_hand import a_lost_row, a_row, an_unknown_row
from rich.console import Console

from assay.progress import PlainLines, Silent
from assay.reports.live import Live


def drive(progress: Any) -> None:
    with progress:
        progress.phase("importing shop")
        progress.note("broker_url -> redis://127.0.0.1:41573/0")
        progress.plan(3)
        for row in (a_row(), a_lost_row(), an_unknown_row()):
            progress.started(f"{row.suite}.{row.scenario} {row.task}")
            progress.finished(row)


def test_plain_lines_tell_everything_in_order() -> None:
    stream = io.StringIO()
    drive(PlainLines(stream))
    told = [line.partition(" s  ")[2] for line in stream.getvalue().splitlines()]

    assert told == [
        "importing shop",
        "  broker_url -> redis://127.0.0.1:41573/0",
        "[1/3] held      acks_late.main_killed  shop.charge: recovered in 0.4 s",
        "[2/3] violated  acks_late.main_killed  shop.charge: lost",
        "[3/3] unknown   recycling.memory_limit  shop.charge",
    ]


def test_a_closed_stream_does_not_stop_the_run() -> None:
    stream = io.StringIO()
    stream.close()
    drive(PlainLines(stream))


def test_silent_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    drive(Silent())

    assert capfd.readouterr() == ("", "")


def test_the_live_bar_keeps_notes_and_rows_that_did_not_hold() -> None:
    stream = io.StringIO()
    drive(Live(Console(file=stream, force_terminal=True, color_system=None, width=100)))
    told = stream.getvalue()

    assert "broker_url -> redis://127.0.0.1:41573/0" in told
    assert "violated  acks_late.main_killed  shop.charge: lost" in told
    assert "unknown   recycling.memory_limit  shop.charge" in told
    assert "held      acks_late" not in told
