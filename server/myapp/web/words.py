"""What each status is called, looks like, and counts as."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Text = str | Promise


class Ending(Enum):
    GOOD = "good"
    BAD = "bad"
    OTHER = "other"  # not ended, or ended because somebody wanted it to


@dataclass(frozen=True)
class Look:
    word: Text
    icon: str
    colour: str
    ending: Ending
    finished: bool


def _going(word: Text, icon: str, colour: str) -> Look:
    return Look(word, icon, colour, Ending.OTHER, finished=False)


def _failed(word: Text, icon: str = "bad") -> Look:
    return Look(word, icon, "bad", Ending.BAD, finished=True)


LOOKS = {
    "queued": _going(_("Waiting"), "wait", "idle"),
    "running": _going(_("Running"), "busy", "busy turning"),
    "retrying": _going(_("Waiting to retry"), "wait", "warn"),
    "succeeded": Look(pgettext_lazy("status", "Succeeded"), "good", "good", Ending.GOOD, finished=True),
    "failed": _failed(pgettext_lazy("status", "Failed")),
    "timed_out": _failed(_("Time limit exceeded"), "wait"),
    "lost": _failed(_("Worker lost"), "warn"),
    "publish_failed": _failed(_("Not queued"), "warn"),
    "cancelled": Look(_("Cancelled"), "stop", "idle", Ending.OTHER, finished=True),
}


def status_look(status: str) -> Look:
    return LOOKS.get(status) or _going(status, "info", "idle")


def ending_of(status: str) -> Ending:
    return status_look(status).ending


def is_finished(status: str) -> bool:
    return status_look(status).finished


def status_choices() -> list[tuple[str, Text]]:
    return [(status, look.word) for status, look in LOOKS.items()]
