"""What only an audit asks of the app: its schedule, values of settings, and what its sources do with tasks. Data only.

Made inside the zygote (see `assay.inspection.written`), sent to the harness as JSON.
"""

from typing import Any

import msgspec


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of beat_schedule. `every_s` is the shortest time between two of its runs; None where it is not known.

    `crontab`: it goes by the clock on the wall, and so by a time zone.
    """

    name: str
    task: str
    place: str = ""
    every_s: float | None = None
    crontab: bool = False
    expires: bool = False


class Dispatch(msgspec.Struct, frozen=True, kw_only=True):
    """A call that publishes a task: `.delay(...)`, `.apply_async(...)`, `send_task(...)`."""

    place: str
    method: str
    task: str = ""  # that send_task() names by a literal
    queue: str = ""  # that is named there by a literal
    in_transaction: bool = False  # within `transaction.atomic()` of the same function


class Unreached(msgspec.Struct, frozen=True):
    """A module below the project's folder that defines tasks, and that nothing has imported."""

    module: str
    place: str  # of the first of them
    tasks: tuple[str, ...]


class Misplaced(msgspec.Struct, frozen=True):
    """A name that nothing reads, since this app reads the setting under another: `wanted`."""

    name: str
    wanted: str
    place: str = ""


class Written(msgspec.Struct, kw_only=True):
    """`values`: effective values of some settings, defaults too, none of them a secret."""

    values: dict[str, Any] = {}
    defaults: dict[str, Any] = {}  # of what would claim something and is not given
    passwords: dict[str, str] = {}  # setting -> file:line where its password is written down
    overridden: dict[str, str] = {}  # setting, as it is given -> what wins over it
    misplaced: list[Misplaced] = []
    annotated_late: list[str] = []  # tasks whose annotation names autoretry_for, which came too late for them
    strings: list[str] = []  # tasks that retry, by an autoretry_for with names of errors rather than errors
    undeclared: list[str] = []  # tasks whose route raises QueueNotFound
    queue_aliases: dict[str, str] = {}  # of a queue -> its name
    zero_limits: list[str] = []  # tasks with a time limit of 0, where the app's own is in force instead
    broad: list[str] = []  # tasks that retry on every error
    unnamed: list[str] = []  # tasks that are named after the file that they are in
    entries: list[Entry] = []
    dispatches: list[Dispatch] = []
    unreached: list[Unreached] = []
    retries_database_errors: bool = False  # the result backend tries again after Django's OperationalError
    throttles: bool = True  # this kombu has unacked_restore_throttle
    plain_queues: bool = True  # what task_queues would declare is as what Celery makes by itself
    confirms: bool = False  # broker_transport_options: confirm_publish
    environment: list[str] = []  # variables that Celery heeds, and that say something else than the configuration
