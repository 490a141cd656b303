"""Durations that a gate cannot wait for, scaled down by a stated factor; their order is kept."""

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from assay.brokers import DURABLE, speaks_amqp
from assay.brokers import NAMES as BROKERS
from assay.redirection import SHORTEST_S, Redirection, scaled_limit
from assay.subject import Subject, Task

COUNTDOWN_S = 0.4  # what the longest retry delay of a task takes in a run
SOFT_S, HARD_S = 0.8, 1.8  # what limits take in the scenarios about them
SHUTDOWN_S = 1.5
LOCKED_S = 0.2
#: what the silence of a connection may last in the scenarios about it, seconds
SILENCE_S = {"health_check_interval": 1.0, "socket_timeout": 1.5}
HEALTH_CHECK_S = 25.0  # of kombu where nothing is given: kombu/transport/redis.py
#: not shorter: a broker sends two heartbeats in that time, and mingle listens for another second with each
HEARTBEAT_S = 4.0
#: the same of socket options; the last is in milliseconds. Source: tcp(7)
KEEPALIVE = {socket.TCP_KEEPIDLE: 1, socket.TCP_KEEPINTVL: 1, socket.TCP_KEEPCNT: 3, socket.TCP_USER_TIMEOUT: 2000}
TASKS = 50  # that a child runs at the most in the scenarios about its replacement
MEMORY_KIB, LARGE_KIB = 256 << 10, 1 << 20  # that a process may grow to, and a limit that is scaled to it
POOL_CHECK_S = 5.0  # celery/concurrency/asynpool.py, AsynPool.timers
CHECKED_S = 0.1
POOL_CHECK = (
    f"a prefork pool's look for dead children every {POOL_CHECK_S:g} s: divided by {POOL_CHECK_S / CHECKED_S:g} or, "
    f"where that is more, as retry delays are; add up to {POOL_CHECK_S:g} s to a recovery from a killed child"
)


def pool_check_s(countdown_scale: float) -> float:
    """Sooner than any retry delay that is longer in production: a lost child is then known before its retry runs."""
    return max(0.02, min(CHECKED_S, POOL_CHECK_S / countdown_scale))


@dataclass(frozen=True)
class Target:
    """What a scenario may run on: one task of the app, and how workers are run."""

    subject: Subject
    task: Task
    pool: str
    bodies: str = "hollow"
    slow: bool = False  # a slow live call is given for the task
    severable: bool = True  # connections to the broker can be broken here
    broker: str = "fakeredis"  # the run's
    sigterm_quits: bool = False  # the workers take SIGTERM for SIGQUIT

    @property
    def own_broker(self) -> bool:
        """Whether the run starts its brokers itself."""
        return self.broker in BROKERS

    @property
    def keeps_data(self) -> bool:
        """Whether the run's brokers can come back with what they had."""
        return self.broker in DURABLE

    @property
    def on_redis(self) -> bool:
        """Whether messages come back by kombu's visibility timeout, in production and in the run."""
        return self.subject.on_redis and not speaks_amqp(self.broker)

    @property
    def waits_in_worker(self) -> bool:
        """Whether a worker has what waits for its time, and not the broker."""
        return not speaks_amqp(self.broker) or self.task.queue not in self.subject.delayed_queues

    @property
    def stores_results(self) -> bool:
        return not self.task.ignore_result and self.subject.result_backend != "disabled"

    @property
    def breakable_results(self) -> str:
        """What holds the task's results in a run as it does in production, and can be broken there; "" for nothing."""
        if not self.stores_results:
            return ""
        if self.subject.result_backend == "django-db":
            return "database"
        own = self.own_broker or speaks_amqp(self.broker)  # beside RabbitMQ the run has a server for results
        return "server" if self.subject.result_backend in ("redis", "rediss") and own else ""


@dataclass(frozen=True)
class Delays:
    """Retry delays of at most `longest_s` in production, of which the longest takes `within_s` in a run."""

    longest_s: float
    within_s: float
    backoff: bool

    @staticmethod
    def told(alike: "Sequence[Delays]") -> str:
        """One sentence for all scenarios, of which each has its own factor."""
        longest, backoff = alike[0].longest_s, alike[0].backoff
        factors = sorted({longest / each.within_s for each in alike})
        takes = sorted({each.within_s for each in alike})
        said = (
            f"retry delays up to {longest:g} s: divided by {_span(factors)}, so that the longest takes {_span(takes)} s"
        )
        least = f", and none less than {SHORTEST_S:g} s that takes more in production"
        return said + (least if backoff else "")


def _span(values: Sequence[float]) -> str:
    return f"{values[0]:.4g}" if len(values) == 1 else f"{values[0]:.4g} to {values[-1]:.4g}"


@dataclass(frozen=True)
class Scaling:
    """`sentences` tell the user what was scaled, in production units; factors are production over real time."""

    redirection: Redirection = field(default_factory=lambda: Redirection(broker_url=""))
    countdown: float = 1.0
    soft: float = 1.0
    hard: float = 1.0
    sentences: list[str] = field(default_factory=list)
    delays: Delays | None = None


def longest_delay(task: Task) -> float:
    """The longest wait before a retry of this task, in seconds; with jitter it may be any shorter one."""
    fixed = task.retry_countdown if task.retry_countdown is not None else task.default_retry_delay
    if not task.retry_backoff or not task.autoretry_for:
        return fixed
    last = min(max(0, (task.max_retries if task.max_retries is not None else 8) - 1), 64)
    return max(fixed if task.retry_on_worker_lost or task.retries_itself else 0.0, task.backoff_s(last))


def running_s(task: Task) -> float:
    """How long an attempt may hold its message: not known of a task without limits."""
    return (task.time_limit or task.soft_time_limit or 0.0) if task.acks_late else 0.0


def waiting_s(task: Task) -> float:
    """The longest wait for a retry, where the task's options say it."""
    return longest_delay(task) if task.autoretry_for and task.max_retries != 0 else 0.0


def countdowns(target: Target, within_s: float = COUNTDOWN_S) -> Scaling:
    """Every countdown of the task is shorter by one factor. Limits are left alone: nothing in a run comes near them."""
    longest = longest_delay(target.task)
    factor = max(1.0, longest / within_s)
    if factor == 1.0:
        return Scaling()
    delays = Delays(longest, within_s, bool(target.task.retry_backoff))
    return Scaling(Redirection(broker_url="", countdown_scale=factor), factor, delays=delays)


def long_countdowns(target: Target, least_s: float, said: str, within_s: float = COUNTDOWN_S) -> Scaling:
    """As `countdowns`, and none is shorter than `least_s`, for something to happen meanwhile; `said` tells it."""
    return at_least(countdowns(target, within_s), least_s, said)


def at_least(base: Scaling, least_s: float, said: str) -> Scaling:
    """What is scaled already, and no countdown that is shorter than `least_s`; `said` tells it."""
    redirection = msgspec.structs.replace(base.redirection, least_countdown_s=least_s)
    return replace(base, redirection=redirection, sentences=[*base.sentences, said])


def told(scalings: Iterable[Scaling]) -> list[str]:
    """What the scenarios of a run scale, each thing once."""
    scalings = list(scalings)
    alike: dict[tuple[float, bool], list[Delays]] = {}
    for delays in (scaling.delays for scaling in scalings if scaling.delays):
        alike.setdefault((delays.longest_s, delays.backoff), []).append(delays)
    said = {sentence for scaling in scalings for sentence in scaling.sentences}
    return sorted(said | {Delays.told(each) for each in alike.values()})


def limits(target: Target, soft_s: float = SOFT_S, hard_s: float = HARD_S, where: str = "suite time_limits") -> Scaling:
    """Soft and hard time limit take about a second or two, and every other limit keeps its order to them."""
    base, task = countdowns(target), target.task
    soft, hard = task.soft_time_limit, task.time_limit
    points = [(limit, min(limit, real)) for limit, real in ((soft, soft_s), (hard, hard_s)) if limit]
    if soft and hard and soft >= hard:
        points = points[1:]
    real_soft, real_hard = (scaled_limit(limit, points) if limit else None for limit in (soft, hard))
    soft_factor = soft / real_soft if soft and real_soft else 1.0
    hard_factor = hard / real_hard if hard and real_hard else 1.0
    said = list(base.sentences)
    if soft:
        said.append(f"soft time limit of {soft:g} s: divided by {soft_factor:.4g} in {where}")
    if hard:
        said.append(f"hard time limit of {hard:g} s: divided by {hard_factor:.4g} in {where}")
    redirection = Redirection(broker_url="", countdown_scale=base.countdown, limits=tuple(points))
    return replace(base, redirection=redirection, soft=soft_factor, hard=hard_factor, sentences=said)


def silences(target: Target) -> Scaling:
    """What is to notice that nothing arrives any more does so in a second or two."""
    base, subject = countdowns(target), target.subject
    if speaks_amqp(target.broker):
        heartbeat_s = min(subject.heartbeat_s, HEARTBEAT_S)
        changed = {"broker_heartbeat": (subject.heartbeat_s, heartbeat_s)}
        redirection = msgspec.structs.replace(base.redirection, settings={"broker_heartbeat": heartbeat_s})
    else:
        given = {"health_check_interval": HEALTH_CHECK_S} | subject.silence
        options = given | {key: min(given[key], most) for key, most in SILENCE_S.items() if key in given}
        changed = {key: (given[key], options[key]) for key in SILENCE_S if key in given}
        if keepalive := given.get("socket_keepalive_options"):
            shorter = {option: min(value, KEEPALIVE.get(int(option), value)) for option, value in keepalive.items()}
            options["socket_keepalive_options"] = shorter
            changed |= {_option(key): (keepalive[key], shorter[key]) for key in keepalive}
        redirection = msgspec.structs.replace(base.redirection, transport_options=options)
    said = [
        f"{key} of {before:g}: {after:g} in the scenarios about a black hole"
        for key, (before, after) in changed.items()
        if before != after
    ]
    return replace(base, redirection=redirection, sentences=[*base.sentences, *said])


def confirmed(target: Target) -> Scaling:
    """What is published is on disk: a RabbitMQ that is killed need not have written what it has confirmed to nobody."""
    base = countdowns(target)
    if not speaks_amqp(target.broker):
        return base
    said = "confirm_publish of broker_transport_options: on in the scenarios about a broker that keeps its data"
    redirection = msgspec.structs.replace(base.redirection, transport_options={"confirm_publish": True})
    return replace(base, redirection=redirection, sentences=[*base.sentences, said])


def _option(number: str) -> str:
    """A socket option's name: TCP_USER_TIMEOUT rather than 18."""
    names = (name for name in dir(socket) if name.startswith("TCP_") and getattr(socket, name) == int(number))
    return next(names, f"socket option {number}")


def impatient(target: Target) -> Scaling:
    """A wait for a locked database ends soon, as it does in production after the database's own timeout."""
    base = countdowns(target)
    if target.breakable_results != "database":
        return base
    said = f"a SQLite database's timeout: {LOCKED_S:g} s at the most in the scenarios about one that is locked for long"
    redirection = msgspec.structs.replace(base.redirection, database_timeout_s=LOCKED_S)
    return replace(base, redirection=redirection, sentences=[*base.sentences, said])


def tasks_per_child(target: Target) -> int:
    """How many tasks a child runs in the scenarios about it; 0: no limit."""
    return min(target.subject.max_tasks_per_child or 0, TASKS)


def recycling(target: Target) -> Scaling:
    """A child is replaced after a number of tasks that can be waited for."""
    base, number, real = countdowns(target), target.subject.max_tasks_per_child or 0, tasks_per_child(target)
    if number == real:
        return base
    said = f"worker_max_tasks_per_child of {number}: {real} in suite recycling"
    redirection = Redirection(
        broker_url="", countdown_scale=base.countdown, settings={"worker_max_tasks_per_child": real}
    )
    return replace(base, redirection=redirection, sentences=[*base.sentences, said])


def memory_per_child(target: Target) -> int:
    """How many KiB a process may grow to in the scenarios about that; 0: no limit. Several of them run at once."""
    kib = target.subject.max_memory_per_child or 0
    if target.pool == "prefork" and kib < LARGE_KIB:
        return kib
    return min(kib, MEMORY_KIB)


def memory(target: Target) -> Scaling:
    """A process outgrows its limit with memory that any machine has."""
    base, kib, real = countdowns(target), target.subject.max_memory_per_child or 0, memory_per_child(target)
    if kib == real:
        return base
    said = f"worker_max_memory_per_child of {kib} KiB: {real} in suite recycling"
    redirection = msgspec.structs.replace(base.redirection, settings={"worker_max_memory_per_child": real})
    return replace(base, redirection=redirection, sentences=[*base.sentences, said])


def shutdowns(target: Target, base: Scaling | None = None) -> Scaling:
    """The soft shutdown's grace is short enough to be waited for; `base` is what is scaled besides."""
    base, timeout = base or countdowns(target), target.subject.soft_shutdown_timeout
    if timeout <= SHUTDOWN_S:
        return base
    factor = timeout / SHUTDOWN_S
    said = f"worker_soft_shutdown_timeout of {timeout:g} s: divided by {factor:.4g} in the scenarios about shutdown"
    redirection = msgspec.structs.replace(base.redirection, settings={"worker_soft_shutdown_timeout": SHUTDOWN_S})
    return replace(base, redirection=redirection, sentences=[*base.sentences, said])
