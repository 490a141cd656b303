"""One thing of the app that is changed before its tasks are made, to see what a run makes of it. Data only."""

from typing import Any

import msgspec


class Flip(msgspec.Struct, frozen=True, omit_defaults=True):
    """A setting, by its name of today, gets `value`; or, of a dict, `entries` are added, or one is taken out.

    With `task` it is an option of that task instead, wherever the task has it from. `name` is the setting as the app
    spells it, where that is not its name of today.
    """

    key: str
    value: Any = None
    entries: dict[str, Any] = {}
    without: str = ""
    task: str = ""
    name: str = ""

    def __str__(self) -> str:
        of = f"{self.task}: " if self.task else ""
        name = self.name or self.key
        if self.without:
            return f"{of}{name} without {self.without}"
        if self.entries:
            return f"{of}{name} with " + ", ".join(f"{key}={value!r}" for key, value in self.entries.items())
        return f"{of}{name}={self.value!r}"
