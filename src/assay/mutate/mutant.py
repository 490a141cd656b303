"""One mutant of the configuration, and what became of it."""

from enum import StrEnum

import msgspec

from assay.flip import Flip


class Status(StrEnum):
    """Worst first."""

    SURVIVED = "survived"  # scenarios that are about it were run, and all of them held
    NO_COVERAGE = "no coverage"  # no scenario is about it
    UNKNOWN = "unknown"  # none of them could be judged
    REFUSED = "refused"  # the app does not load with it: its own check sees it
    KILLED = "killed"
    EQUIVALENT = "equivalent"  # the app behaves the same: no task and no worker is different
    SHADOWED = "shadowed"  # what it changes is overridden everywhere
    NOT_APPLICABLE = "not applicable"  # this broker or this pool does not heed it


class Mutant(msgspec.Struct, frozen=True, kw_only=True):
    """`setting` is its name of today, or a task's option; `tasks` are those whose option it is."""

    setting: str
    change: str  # in words: "task_acks_late=True -> False"
    flips: list[Flip]
    place: str = ""
    tasks: list[str] = []


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`killer` is the scenario that went red, and `said` why; or what is missing, where it survived."""

    mutant: Mutant
    status: Status
    killer: str = ""
    said: str = ""
    tried: list[str] = []  # scenarios that held
    duration_s: float = 0.0


class Mutation(msgspec.Struct, kw_only=True):
    """What `assay mutate` found. Red on the app as it is are rows that can kill nothing."""

    app: str
    broker: str
    pool: str
    outcomes: list[Outcome]
    red_already: list[str] = []
    duration_s: float = 0.0

    @property
    def exit_code(self) -> int:
        """1 where a mutant survived, 3 where one could not be judged."""
        statuses = {each.status for each in self.outcomes}
        return 1 if Status.SURVIVED in statuses else 3 if Status.UNKNOWN in statuses else 0
