"""The terms of a task's contract: what a team requires of it. Data, and what cannot be meant."""

from typing import Annotated, Any, Literal, get_args

import msgspec

from assay.errors import UsageError
from assay.selection import nearest

Delivery = Literal["at_most_once", "at_least_once", "effectively_once"]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=1e9)]


class Terms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Durations are production seconds; None requires nothing of the kind. What is more important is told first."""

    delivery: Delivery | None = None
    recovery_s: Seconds | None = None  # from the loss of an attempt to the start of the next
    attempts: Annotated[int, msgspec.Meta(ge=1)] | None = None
    run_s: Seconds | None = None  # of one attempt
    queue: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    importance: int | None = None


PARTS = Terms.__struct_fields__


class Entry(msgspec.Struct, frozen=True):
    """The terms of all tasks that fit one of the patterns. `place` is file:line, where a file has them."""

    tasks: tuple[str, ...]
    terms: Terms
    place: str = ""


class Declared(msgspec.Struct, frozen=True):
    """What an app says itself of one of its tasks, as it is written there; `task` is "" where it is said of none."""

    task: str
    values: Any
    how: str  # "@requires", "assay"
    place: str = ""
    inherited: bool = False  # said of a class that the task is built on


def read(values: Any, where: str) -> Terms:
    """Raises UsageError for what is no table, a key that there is not, a value of another type, or nothing at all."""
    if not isinstance(values, dict):
        raise UsageError(f'{where} must be a table, such as {{ delivery = "at_least_once", recovery_s = 30 }}')
    for key in values:
        if key not in PARTS:
            raise UsageError(f"{where}: unknown key {key}{nearest(str(key), PARTS) or '; known are ' + _known()}")
    try:
        terms = msgspec.convert(values, Terms)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: {_told(str(error))}") from None
    if terms == Terms():
        raise UsageError(f"{where} requires nothing: give it one of {_known()}")
    return terms


def _known() -> str:
    return ", ".join(PARTS)


def _told(error: str) -> str:
    """msgspec's "Expected `int`, got `str` - at `$.attempts`" as "attempts: expected int, got str"."""
    what, _, where = error.partition(" - at ")
    part = where.strip("`").removeprefix("$.")
    what = what.replace("`", "").replace(" | null", "")
    if "invalid enum" in what.lower():
        word = what.partition("'")[2].rstrip("'")
        known = get_args(Delivery)
        return f"{part}: there is no {word}{nearest(word, known)}; there are {', '.join(known)}"
    return f"{part}: {what[:1].lower()}{what[1:]}"


class Clash(msgspec.Struct, frozen=True):
    """Two parts that cannot both be kept, whatever the app does."""

    one: str
    other: str
    why: str


def clash(terms: Terms) -> Clash | None:
    """A retry is no redelivery: at_most_once goes with any number of attempts."""
    again = terms.delivery in ("at_least_once", "effectively_once")
    if terms.delivery == "at_most_once" and terms.recovery_s is not None:
        return Clash("delivery", "recovery_s", "what is lost is not to run again, and so never recovers")
    if again and terms.attempts == 1:
        return Clash("delivery", "attempts", "what is lost needs a second attempt")
    if terms.recovery_s is not None and terms.attempts == 1:
        return Clash("recovery_s", "attempts", "what is lost needs a second attempt")
    return None


def value(terms: Terms, part: str) -> str:
    """As it is told: "30", "at_least_once"."""
    found = getattr(terms, part)
    return f"{found:g}" if isinstance(found, float) else str(found)
