"""Changes the loaded app's addresses and scales durations, in a process of its own; nothing else.

Runs in the forked worker or client. The sentences that tell the user about it are made in `inspection` and `scaling`.
"""

import datetime
import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

from celery import Celery, Task

from assay.base_calls import leave_out
from assay.redirection import Redirection, scaled_limit, scaled_s

FAST_RATE = 200.0  # tasks a second: a rate limit is no slower in a run
SQLITE_S = 5.0  # how long Python's sqlite3 waits for a lock unless it is told otherwise
OURS = ("broker_url", "broker_read_url", "broker_write_url", "broker_transport_options")  # whatever is flipped
# parts of an address as settings of their own: kombu and Celery's Redis backend use those that the address has not
OF_THE_BROKER = ("broker_user", "broker_password", "broker_host", "broker_port", "broker_vhost")
OF_RESULTS = (
    *("redis_username", "redis_password", "redis_host", "redis_port", "redis_db"),
    *("redis_backend_credential_provider", "redis_backend_use_ssl"),
)
ENVIRONMENT = ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL", "CELERY_RESULT_BACKEND")


def apply(app: Celery, to: Redirection, on_countdown: Callable[[float | None], None]) -> None:
    """Redirect the app in this process. `on_countdown` hears the unscaled countdown of each message published."""
    for name in ENVIRONMENT:
        os.environ.pop(name, None)
    changes: dict[str, Any] = dict.fromkeys(("broker_url", "broker_read_url", "broker_write_url"), to.broker_url)
    changes |= dict.fromkeys(OF_THE_BROKER)
    changes |= {"broker_use_ssl": to.broker_tls or None, "broker_failover_strategy": None, "task_always_eager": False}
    if to.result_backend:
        changes |= {"result_backend": to.result_backend, **dict.fromkeys(OF_RESULTS)}
    if to.key_prefix:
        changes |= prefixed_keys(app, to.key_prefix)
    if to.transport_options:
        given = changes.get("broker_transport_options") or app.conf.broker_transport_options or {}
        changes["broker_transport_options"] = given | _as_numbers(to.transport_options)
    if to.foreign_transport:  # py-amqp takes options as arguments and raises: kombu/transport/pyamqp.py
        changes["broker_transport_options"] = _as_numbers(to.transport_options)
    if to.transport_options and not to.foreign_transport:
        changes["broker_transport_options"] |= getattr(app, "assay_flipped_options", {})
    flips = {key: value for key, value in getattr(app, "assay_flips", {}).items() if key not in OURS}
    configure(app.conf, changes | to.settings | flips)
    forget_connections(app)
    if to.databases:
        use_databases(to.databases, to.database_timeout_s)
    for task in app.tasks.values():
        if slow_rate(task.rate_limit):
            task.rate_limit = f"{FAST_RATE:g}/s"
        use_the_apps_backend(task)
        if to.early_acks:
            task.acks_late = False
    for name in to.plain_calls:
        leave_out(app.tasks[name])
    _scale_countdowns(app, to, on_countdown)
    if to.limits:
        scale_limits(to.limits)
    if to.pool_check_s:
        look_at_children_every(to.pool_check_s)
    if to.clock_offset_s:
        warp_clock(to.clock_offset_s)


def _as_numbers(options: dict[str, Any]) -> dict[str, Any]:
    """JSON has no keys that are numbers, as the options of a socket are."""
    found = dict(options)
    if keepalive := options.get("socket_keepalive_options"):
        found["socket_keepalive_options"] = {int(option): value for option, value in keepalive.items()}
    return found


def slow_rate(limit: Any) -> bool:
    """Whether a task would wait for its turn longer than a run should: "10/m" is 6 s between two starts."""
    from celery.utils.time import rate

    return bool(0 < rate(limit) < FAST_RATE)


def configure(conf: Any, changes: dict[str, Any]) -> None:
    """Settings as if the app had them, under each name that Celery would find them by.

    Before 5.7 a namespaced name wins over the plain one wherever it was given, also over a change made later
    (celery/utils/collections.py, ConfigurationView.__getitem__).
    """
    prefix = getattr(conf, "prefix", None) or ""
    for key, value in changes.items():
        setattr(conf, key, value)
        if prefix:
            setattr(conf, namespaced(key, prefix), value)


def namespaced(key: str, prefix: str) -> str:
    """A setting's name under a namespace. Source: celery/utils/collections.py, match_case."""
    name = prefix + key
    return name.upper() if prefix.isupper() else name.lower()


def forget_connections(app: Celery) -> None:
    """Drop what the app opened or cached for its own addresses; kombu's pools are global and keyed by URL."""
    import kombu.pools

    kombu.pools.reset()  # type: ignore[no-untyped-call]
    app._pool = None
    app.amqp._producer_pool = None
    app._backend_cache = None
    app._local.__dict__.pop("backend", None)


def prefixed_keys(app: Celery, prefix: str) -> dict[str, Any]:
    """kombu's transport and Celery's Redis backend each have an option that names keys, and nothing else, otherwise.

    Sources: kombu/transport/redis.py, GlobalKeyPrefixMixin; celery/backends/base.py, _add_global_keyprefix.
    """
    changes = {}
    for name in ("broker_transport_options", "result_backend_transport_options"):
        options = dict(getattr(app.conf, name, None) or {})
        changes[name] = options | {"global_keyprefix": prefix + (options.get("global_keyprefix") or "")}
    return changes


def use_databases(files: dict[str, str], timeout_s: float = 0.0) -> None:
    """Django's connections, by alias, on SQLite files, which wait for a lock for `timeout_s` at the most, if any."""
    from django.conf import settings
    from django.db import connections

    for alias, path in files.items():
        for databases in (settings.DATABASES, connections.databases):
            config = databases.setdefault(alias, {})
            sqlite = "sqlite3" in str(config.get("ENGINE", ""))
            options = config.get("OPTIONS", {}) if sqlite else {"timeout": 20}
            if timeout_s:
                options = {**options, "timeout": min(options.get("timeout", SQLITE_S), timeout_s)}
            config.update(
                ENGINE="django.db.backends.sqlite3", NAME=path, OPTIONS=options, CONN_MAX_AGE=0, HOST="", PORT=""
            )
            config.pop("DISABLE_SERVER_SIDE_CURSORS", None)
        if hasattr(getattr(connections, "_connections", None), alias):
            del connections[alias]


def has_own_backend(task: Any) -> bool:
    """Whether the results of this task go elsewhere than the app's: given to its decorator, or to its base class.

    Source: celery/app/task.py, Task.backend; an option of the decorator becomes an attribute of the task's own class.
    """
    return task._backend is not None or type(task).backend is not Task.backend


def use_the_apps_backend(task: Any) -> None:
    """Results that the task sends elsewhere would leave the run."""
    if has_own_backend(task):
        task._backend = None
        type(task).backend = Task.backend


def scale_limits(points: Sequence[tuple[float, float]]) -> None:
    """The limits of each job, where the pool has chosen among those of the message, of the task and of the app.

    Source: celery/worker/request.py (execute_using_pool) and billiard/pool.py (Pool.apply_async). Messages keep what
    they say, so that a retry, which repeats its message's limits, has the same ones.
    """
    from billiard.pool import Pool

    original = Pool.apply_async

    @functools.wraps(original)
    def apply_async(self: Any, *args: Any, soft_timeout: Any = None, timeout: Any = None, **options: Any) -> Any:
        soft, hard = soft_timeout or self.soft_timeout, timeout or self.timeout
        soft, hard = (scaled_limit(limit, points) if limit else limit for limit in (soft, hard))
        return original(self, *args, soft_timeout=soft, timeout=hard, **options)

    Pool.apply_async = apply_async


def look_at_children_every(seconds: float) -> None:
    """A killed child's pipe may end before the kernel has its exit status: then the pool finds out by this timer only.

    Source: celery/concurrency/asynpool.py, AsynPool.timers and register_with_event_loop.
    """
    from celery.concurrency.asynpool import AsynPool

    AsynPool.timers = property(lambda self: {self.maintain_pool: seconds})


def warp_clock(offset_s: float) -> None:
    """kombu scores unacknowledged Redis messages with the client's own clock (kombu/transport/redis.py, QoS)."""
    from kombu.transport import redis

    original: Callable[[], float] = redis.time  # type: ignore[attr-defined]
    redis.time = lambda: original() + offset_s  # type: ignore[attr-defined]


def _scale_countdowns(app: Celery, to: Redirection, on_countdown: Callable[[float | None], None]) -> None:
    scale, least_s = to.countdown_scale, to.least_countdown_s

    def scaled(original: Callable[..., Any]) -> Callable[..., Any]:
        def create(
            task_id: str,
            name: str,
            args: Any = None,
            kwargs: Any = None,
            countdown: float | None = None,
            eta: datetime.datetime | None = None,
            *rest: Any,
            **options: Any,
        ) -> Any:
            on_countdown(countdown)
            if countdown or (countdown is not None and least_s):
                countdown = scaled_s(countdown, scale, least_s)
            elif isinstance(eta, datetime.datetime) and scale != 1.0:
                zone = eta.tzinfo or (datetime.UTC if app.conf.enable_utc else app.timezone)  # as the worker reads it
                now = datetime.datetime.now(zone)
                wait_s = (eta.replace(tzinfo=zone) - now).total_seconds()
                eta = now + datetime.timedelta(seconds=scaled_s(wait_s, scale))
            return original(task_id, name, args, kwargs, countdown, eta, *rest, **options)

        return create

    for protocol, create in list(app.amqp.task_protocols.items()):
        app.amqp.task_protocols[protocol] = scaled(create)
    _scale_delays(scale, least_s)


def _scale_delays(scale: float, least_s: float) -> None:
    """What RabbitMQ itself waits for, in whole seconds: celery/app/base.py, send_task, with quorum queues (5.5)."""
    from celery.app import base

    def scaled(original: Callable[..., Any]) -> Callable[..., Any]:
        def calculate_routing_key(countdown: int, *rest: Any, **options: Any) -> Any:
            return original(max(min(countdown, 1), int(scaled_s(countdown, scale, least_s))), *rest, **options)

        return calculate_routing_key

    if hasattr(base, "calculate_routing_key"):
        base.calculate_routing_key = scaled(base.calculate_routing_key)
