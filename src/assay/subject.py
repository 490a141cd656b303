"""The app under test as data: its tasks with their effective options, its settings, what was redirected.

Made inside the zygote (see `assay.inspection`), sent to the harness as JSON; the harness itself never imports the app.
"""

import hashlib
import re
from typing import Any

import msgspec

from assay.contract.terms import Declared, Terms

RETRY_ON_LOST = (5, 7)  # the release of Celery with task_retry_on_worker_lost
OF_THE_APP = ("broker_", "result_", "worker_")  # settings that no task has an option for
CONTRACT = "contract "  # what the claims of a contract begin with: "contract run_s=60"
WORD = re.compile(r"(?<![\w.])[a-z]\w*_\w+(?!\w|\.\w)")  # may be a setting: no attribute, no file
SLACK_S = 60.0  # by which a warped clock is beyond the visibility timeout


class LeftOut(msgspec.Struct, frozen=True):
    """The `__call__` of a class that lets no body run, called as in the run, and what came of it instead."""

    by: str
    why: str


class Task(msgspec.Struct, kw_only=True, frozen=True):
    """One task with what is in force for it, from the decorator, the base class, annotations and settings alike.

    Durations are seconds in production units; None is "no limit" or "not set".
    """

    name: str
    place: str = ""  # file:line of the body
    queue: str
    acks_late: bool
    reject_on_worker_lost: bool
    retry_on_worker_lost: bool = False  # Celery 5.7
    acks_on_failure: bool = True
    acks_on_timeout: bool = True
    max_retries: int | None
    default_retry_delay: float
    autoretry_for: tuple[str, ...] = ()
    retry_backoff: float = 0  # 0: none; otherwise the factor of 2**retries, see `backoff_s`
    retry_backoff_max: float = 600
    retry_jitter: bool = True
    retry_countdown: float | None = None  # from retry_kwargs
    retries_itself: bool = False  # the body calls self.retry()
    soft_time_limit: float | None
    time_limit: float | None
    limits_refused: bool = False  # this release does not publish it: its soft limit is above its hard one
    ignore_result: bool
    track_started: bool = False
    rate_limit: str | None = None
    priority: int | None = None
    expires: float | None = None
    serializer: str = "json"
    base: str = ""  # the class it is built on
    request: str = ""  # its Request class, where it is not Celery's
    backend: str = ""
    hooks: tuple[str, ...] = ()  # before_start, on_failure, ... that the base class or the task defines
    left_out: LeftOut | None = None  # in a run whose bodies are hollow
    required: int = 0  # arguments without a default
    unread: tuple[str, ...] = ()  # options of newer releases that it carries and that this one does not read
    contract: Terms = Terms()  # what the team requires of it
    contract_at: dict[str, str] = {}  # part of the contract -> file:line

    @property
    def retries(self) -> bool:
        """Whether anything makes a failed attempt run again."""
        return bool(self.autoretry_for) or self.retries_itself

    @property
    def may_retry(self) -> bool:
        """Whether it does so at least once."""
        return self.retries and self.max_retries != 0

    def backoff_s(self, retry: int) -> float:
        """The longest wait before the nth retry (0 is the first); with jitter it may be any shorter one.

        Source: celery/app/autoretry.py (the factor is a whole number) and celery/utils/time.py,
        get_exponential_backoff_interval.
        """
        return float(max(0, min(int(self.retry_backoff_max), int(max(1.0, self.retry_backoff)) * 2**retry)))

    def profile(self) -> str:
        """A short hash of options and contract: tasks in which these are equal behave, and are judged, alike."""
        given = msgspec.to_builtins(self) | {"left_out": self.left_out is not None}
        apart = {"name", "place", "required", "contract_at"} | ({"contract"} if self.contract == Terms() else set())
        options = {key: value for key, value in given.items() if key not in apart}
        return hashlib.sha256(msgspec.json.encode(options, order="sorted")).hexdigest()[:8]


class Setting(msgspec.Struct, frozen=True):
    """One setting that the user gave. `known`: this release of Celery reads it; `own`: it does not, and the app does.

    `value` is printable and redacted.

    `key` is its name of today, `given` the one that the user wrote where that differs: an old one, or a namespaced one.
    """

    key: str
    value: Any
    known: bool = True
    place: str = ""
    given: str = ""
    own: bool = False
    nearest: str = ""  # of one that is not known: the setting that it may have been meant to be

    def __str__(self) -> str:
        return f"{self.given or self.key}={self.value}"


class Unrouted(msgspec.Struct, frozen=True):
    """A name in task_routes, neither glob nor regular expression, that no registered task has.

    `own`: it is meant for a task of this app's, by its package or its spelling, and not for another app's workers.
    """

    name: str
    place: str = ""
    nearest: str = ""  # the registered task that it may have been meant to be
    own: bool = True


class Subject(msgspec.Struct, kw_only=True):
    """The whole app under test."""

    app: str  # as given to -A
    name: str  # app.main
    tasks: list[Task]
    settings: list[Setting]
    #: {name of today: name that the configuration takes} of every setting, where it takes others than those of today
    spelling: dict[str, str] = {}
    queues: list[str]  # that a worker without -Q consumes
    default_queue: str
    fanouts: list[str] = []  # those of them that each worker has for itself: what is sent there goes to all, or nobody
    aliases: list[str] = []  # by which -Q may name such a one
    create_missing_queues: bool
    pool: str  # worker_pool as configured
    concurrency: int
    prefetch_multiplier: int = 4
    disable_prefetch: bool = False  # Celery 5.6, on Redis: no message is taken while all slots are busy
    max_tasks_per_child: int | None = None
    max_memory_per_child: int | None = None  # KiB
    pool_restarts: bool = False
    soft_shutdown_timeout: float = 0.0
    visibility_timeout: float = 3600.0
    #: of broker_transport_options: health_check_interval, socket_timeout and socket_keepalive_options, as far as given
    silence: dict[str, Any] = {}
    heartbeat_s: float = 120.0  # broker_heartbeat, AMQP only; 0: none
    delayed_queues: list[str] = []  # what waits for its time does so in RabbitMQ: Celery 5.5 and later, quorum queues
    restore_period_s: float = 100.0  # unacked_restore_interval x unacked_restore_throttle: kombu's sweep
    priority_steps: tuple[int, ...] = (0, 3, 6, 9)
    separator: str = "\x06\x16"
    global_keyprefix: str = ""
    broker_scheme: str = "redis"
    result_backend: str = ""  # scheme only, "django-db", "disabled"
    deduplicates: bool = False
    django: bool = False
    databases: list[str] = []  # aliases that get a private copy
    unrouted: list[Unrouted] = []
    redirected: list[str] = []
    versions: dict[str, str] = {}
    warnings: list[str] = []
    declared: list[Declared] = []  # contracts that the app itself has at its tasks
    demanded: str = "inferred"  # the user's `delivery`, for tasks whose contract says none
    demanded_at: str = ""  # its file:line, where a file has it

    @property
    def celery(self) -> tuple[int, ...]:
        """Its release, as far as it is numbers: (5, 7, 0)."""
        return self.release("celery")

    def release(self, package: str) -> tuple[int, ...]:
        return tuple(int(part) for part in self.versions.get(package, "").split(".") if part.isdecimal())

    @property
    def on_redis(self) -> bool:
        """Whether its broker gives messages back by kombu's visibility timeout."""
        return self.broker_scheme.startswith(("redis", "rediss", "sentinel"))

    @property
    def beyond_visibility_s(self) -> float:
        """How far kombu's clock is set forward for all that dead workers had to be given back at once."""
        return self.visibility_timeout + SLACK_S

    def task(self, name: str) -> Task:
        return next(task for task in self.tasks if task.name == name)

    def all_queues(self) -> list[str]:
        """Those that workers consume by themselves and those that tasks go to."""
        return sorted({*self.queues, *(task.queue for task in self.tasks if task.queue)})

    def setting(self, key: str) -> Setting | None:
        return next((setting for setting in self.settings if setting.key == key), None)

    def claim(self, key: str) -> str:
        """The setting as the user knows it, `key=value`, or the key alone where it was given elsewhere."""
        found = self.setting(key)
        return str(found) if found else key

    def spelled(self, key: str) -> str:
        """The name under which the app has a setting, or can take it: those of another style are refused or unread."""
        usual = self.spelling.get(key, key)
        given = [each.given or key for each in self.settings if each.key == key]
        return usual if usual in given or not given else given[0]

    def worded(self, text: str) -> str:
        """The text with each setting in it spelled so. Options of a task are no settings, and stay."""
        if not self.spelling:
            return text
        return WORD.sub(lambda word: self.spelled(word[0]) if word[0] in self.spelling else word[0], text)

    def place(self, key: str) -> str:
        found = self.setting(key)
        return found.place if found else ""

    def place_of(self, claim: str, task: Task) -> str:
        """Where a claim is made: by the setting, or by the task itself, unless no task can make it; "" if unknown."""
        if claim.startswith("delivery="):
            return self.demanded_at
        if claim.startswith(CONTRACT):
            return task.contract_at.get(claim.removeprefix(CONTRACT).partition("=")[0], "")
        return self.place(claim) or ("" if claim.startswith(OF_THE_APP) else task.place)
