"""All that a process of a cluster needs to know. Said by the harness, read by what it forks or starts."""

from typing import Any, Literal

import msgspec

from assay.redirection import Redirection

BASE_CALLS = "base_calls.json"  # what the role of that name answers, in its folder
MIGRATED = "migrated.txt"  # likewise of the role "migrate", where there is something to tell
#: what pytest-django knows by the same name
NO_MIGRATIONS = "with --no-migrations (`migrations = false`) its tables are made from the models"


class Boot(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that one process needs to know. `folder` is the cluster's, `log` takes stdout and stderr."""

    role: Literal["worker", "client", "migrate", "base_calls"]
    folder: str
    log: str
    name: str  # the harness's name of the worker
    redirection: Redirection
    gate: str = ""
    live: bool = False
    recorded: bool = True
    callbacks: bool = False  # the worker has the tasks that the harness links to what it publishes
    pool: str = "prefork"
    concurrency: int = 1
    queues: list[str] = []  # empty: what a worker without -Q consumes
    options: dict[str, Any] = {}  # further arguments of celery.apps.worker.Worker
    migrations: bool = True  # for the role "migrate", as the next one
    fixtures: list[str] = []
    calls: dict[str, dict[str, Any]] = {}  # for the role "base_calls": task -> its args and kwargs
