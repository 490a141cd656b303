"""What CI sends: checked before anything is kept of it. No name or path in it is used as one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from django.utils import timezone

from assay.errors import UsageError
from assay.report import Report
from assay.reports import json

from .models import MOST_NAME

MOST_FAULTS = 10**9  # beyond it an evidence bound is no number any more
CLOCK_AHEAD = timedelta(days=1)  # a run from the future would be the newest for ever


class _App(msgspec.Struct):
    """What comparisons rely on in the part of a report that has no fixed fields."""

    name: str = ""
    module: str = ""
    tasks: dict[str, dict[str, Any]] = {}
    settings: dict[str, Any] = {}
    origins: dict[str, dict[str, Any]] = {}
    visibility_timeout_s: float | None = None


@dataclass(frozen=True)
class Received:
    """A report that can be kept."""

    text: bytes
    report: Report
    app: str
    started_at: datetime


def received(text: bytes) -> Received:
    """Raises UsageError for what is damaged, no report, of a newer schema, or of no app or time."""
    try:
        report = json.parse(text)
    except RecursionError:
        raise UsageError("report.json is damaged: it is nested too deeply") from None
    try:
        told = msgspec.convert(report.app, _App)
    except msgspec.ValidationError as error:
        raise UsageError(f"report.json is damaged: {error} of 'app'") from None
    if not 0 <= report.landed <= MOST_FAULTS:
        raise UsageError(f"report.json is damaged: {report.landed} landed faults")
    app = line(told.name or told.module, "the app's name in report.json", MOST_NAME)
    if not app:
        raise UsageError("report.json names no app, so it can be compared with nothing")
    return Received(text, report, app, _moment(report.started_at))


def line(text: str, what: str, most: int) -> str:
    """`text` where it is one line that every database can keep. Raises UsageError."""
    text = text.strip()
    if len(text) > most:
        raise UsageError(f"{what} has {len(text)} characters, at most {most} are kept")
    if not text.isprintable():
        raise UsageError(f"{what} holds characters that cannot be printed")
    return text


def page(content: bytes) -> bytes:
    """`content` where it is HTML as Assay writes it. Raises UsageError."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = ""
    if not text.lstrip().lower().startswith("<!doctype html"):
        raise UsageError("the page is not an HTML file in UTF-8 that begins with <!doctype html>")
    return content


def _moment(text: str) -> datetime:
    try:
        when = datetime.fromisoformat(text)
        when = when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise UsageError("report.json is damaged: its started_at is no time in ISO 8601") from None
    if when > timezone.now() + CLOCK_AHEAD:
        raise UsageError(f"report.json says that its run starts in the future, at {when:%Y-%m-%d %H:%M} UTC")
    if when.year < 2000:
        raise UsageError(f"report.json says that its run started in {when.year}")
    return when
