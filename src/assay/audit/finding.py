"""One thing that an audit found."""

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """Worst first. A risk breaks no promise of a setting: it is shown, and turns the exit code if asked to."""

    BROKEN = "broken"  # what the setting is for cannot come true beside the others
    DEAD = "dead"  # nothing reads it, here
    RISK = "risk"

    @property
    def rank(self) -> int:
        return list(Kind).index(self)


class Change(msgspec.Struct, frozen=True):
    """Of one setting, by its name of today. `value` is Python source; "" takes the setting out."""

    setting: str
    value: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`rule` names what found it, `observed` is a sentence with the facts, `changes` are what would mend it.

    `settings` are the names of today of the settings that it is about.
    """

    rule: str
    kind: Kind
    settings: tuple[str, ...]
    title: str  # the setting as the user knows it, or a few words
    observed: str
    remedy: str = ""
    place: str = ""
    changes: tuple[Change, ...] = ()
    tasks: tuple[str, ...] = ()
    accepted: str = ""  # the user's reason, from `known`: it does not count then
