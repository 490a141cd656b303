"""What each status looks like and counts as; its name is with the model."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..models import Status
from ..models.executions import FINISHED


class Ending(Enum):
    GOOD = "good"
    BAD = "bad"
    OTHER = "other"  # not ended, or ended because somebody wanted it to


@dataclass(frozen=True)
class Look:
    icon: str
    colour: str
    ending: Ending


LOOKS = {
    Status.QUEUED: Look("wait", "idle", Ending.OTHER),
    Status.RUNNING: Look("busy", "busy turning", Ending.OTHER),
    Status.RETRYING: Look("wait", "warn", Ending.OTHER),
    Status.SUCCEEDED: Look("good", "good", Ending.GOOD),
    Status.FAILED: Look("bad", "bad", Ending.BAD),
    Status.TIMED_OUT: Look("wait", "bad", Ending.BAD),
    Status.LOST: Look("warn", "bad", Ending.BAD),
    Status.PUBLISH_FAILED: Look("warn", "bad", Ending.BAD),
    Status.CANCELLED: Look("stop", "idle", Ending.OTHER),
}
UNFINISHED = [status for status in Status if status not in FINISHED]


def word(status: str) -> str:
    return str(Status(status).label)


def look(status: str) -> Look:
    return LOOKS[Status(status)]


def ending_of(status: str) -> Ending:
    return look(status).ending
