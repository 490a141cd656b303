"""Describe the app under test: its tasks with their effective options, and its settings. Runs in the zygote."""

import difflib
import os
import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Any
from urllib.parse import urlsplit

from celery import Celery
from celery.app.defaults import SETTING_KEYS
from celery.app.routes import MapRoute
from celery.concurrency import ALIASES as POOLS

from assay.inspection.declared import declared
from assay.inspection.settings import given_settings
from assay.inspection.spelling import spelling
from assay.inspection.tasks import backend_scheme, task_options
from assay.places import Places
from assay.subject import Subject, Unrouted
from assay.told import redirected, warnings


def describe(app: Celery, name: str, workdir: str) -> Subject:
    """Everything that the harness needs to know of the app, before any address is redirected."""
    conf = app.conf
    places = Places(workdir)
    own = [task for key, task in sorted(app.tasks.items()) if not key.startswith("celery.")]
    tasks = [task_options(app, task, places) for task in own]
    settings = given_settings(app, places)
    options = conf.broker_transport_options or {}
    django = "django.conf" in sys.modules and bool(os.environ.get("DJANGO_SETTINGS_MODULE"))
    subject = Subject(
        app=name,
        name=app.main or name,
        tasks=tasks,
        declared=declared(app, tasks, places),
        settings=settings,
        spelling=spelling(app, settings),
        queues=sorted(str(queue) for queue in app.amqp.queues.consume_from) or [str(conf.task_default_queue)],
        default_queue=str(conf.task_default_queue),
        fanouts=sorted(name for name, q in app.amqp.queues.items() if q.exchange and q.exchange.type == "fanout"),
        aliases=sorted(map(str, app.amqp.queues.aliases)),
        create_missing_queues=bool(conf.task_create_missing_queues),
        pool=_pool(conf.worker_pool),
        concurrency=_whole(conf.worker_concurrency) or 2,
        prefetch_multiplier=int(conf.worker_prefetch_multiplier),
        disable_prefetch=bool(_in_force(conf, "worker_disable_prefetch")),
        max_tasks_per_child=_whole(conf.worker_max_tasks_per_child),
        max_memory_per_child=_whole(conf.worker_max_memory_per_child),
        pool_restarts=bool(conf.worker_pool_restarts),
        soft_shutdown_timeout=float(_in_force(conf, "worker_soft_shutdown_timeout") or 0),
        visibility_timeout=float(options.get("visibility_timeout") or visibility_s(conf.broker_url)),
        silence=_silence(options),
        heartbeat_s=float(conf.broker_heartbeat or 0),
        delayed_queues=_delayed_queues(app),
        restore_period_s=float(options.get("unacked_restore_interval") or 10)
        * float(options.get("unacked_restore_throttle") or 10),
        priority_steps=tuple(int(step) for step in options.get("priority_steps") or (0, 3, 6, 9)),
        separator=str(options.get("sep") or "\x06\x16"),
        global_keyprefix=str(options.get("global_keyprefix") or ""),
        broker_scheme=_scheme(conf.broker_url),
        result_backend=backend_scheme(conf.result_backend),
        deduplicates=bool(conf.get("worker_deduplicate_successful_tasks")),
        django=django,
        databases=_databases() if django else [],
        unrouted=_unrouted(app, places),
        versions=_versions(django),
    )
    subject.redirected = redirected(app, subject)
    subject.warnings = warnings(subject)
    return subject


def _silence(options: dict[str, Any]) -> dict[str, Any]:
    """What makes kombu's Redis transport, or the kernel, notice that nothing arrives any more."""
    numbers = ("health_check_interval", "socket_timeout")
    found: dict[str, Any] = {key: float(options[key]) for key in numbers if options.get(key) is not None}
    if options.get("socket_keepalive") and (keepalive := options.get("socket_keepalive_options")):
        found["socket_keepalive_options"] = {str(int(option)): int(value) for option, value in keepalive.items()}
    return found


def _scheme(url: str | Sequence[str] | None) -> str:
    """Of the broker's address, or of the first where several are given to fail over."""
    first = url if isinstance(url, str) else next(iter(url or ()), "")
    return urlsplit(first.split(";")[0] or "amqp://").scheme


def visibility_s(url: str | Sequence[str] | None) -> float:
    """Where none is given. Source: kombu/transport/redis.py and kombu/transport/SQS."""
    return 1800.0 if _scheme(url) == "sqs" else 3600.0


def _pool(given: Any) -> str:
    """Celery's own name of a pool that is given by an alias, a dotted path or its class; any other one as it is."""
    path = f"{given.__module__}:{given.__qualname__}" if isinstance(given, type) else str(given)
    paths = {str(path).replace(":", "."): name for name, path in reversed(list(POOLS.items())) if name != "custom"}
    return str(paths.get(str(POOLS.get(path) or path).replace(":", "."), path))


def _delayed_queues(app: Celery) -> list[str]:
    """Source: celery/app/base.py, send_task: one quorum queue is enough, and direct exchanges are left out."""
    try:
        from celery.utils.quorum_queues import detect_quorum_queues
    except ImportError:
        return []
    if not detect_quorum_queues(app, "amqp")[0]:
        return []
    queues = app.amqp.queues.items()
    return sorted(name for name, queue in queues if queue.exchange and queue.exchange.type != "direct")


def _in_force(conf: Any, key: str) -> Any:
    """A setting's value, None where this release stores it and does not read it."""
    return conf.get(key) if key in SETTING_KEYS else None


def _unrouted(app: Celery, places: Places) -> list[Unrouted]:
    """Routes by an exact name that is registered nowhere. Source: celery/app/routes.py, MapRoute."""
    try:
        routes = app.amqp.router.routes
    except Exception:
        return []  # what Celery cannot read fails at publish, and is found there
    named = [str(name) for route in routes if isinstance(route, MapRoute) for name in route.map]
    own = [name for name in app.tasks if not name.startswith("celery.")]
    packages = {name.partition(".")[0] for name in app.tasks}
    found = []
    for name in named:
        if name not in app.tasks:
            nearest = next(iter(difflib.get_close_matches(name, own, n=1, cutoff=0.75)), "")
            place = places.find_name(name) or places.find("task_routes")
            found.append(Unrouted(name, place, nearest, bool(nearest) or name.partition(".")[0] in packages))
    return found


def _whole(value: Any) -> int | None:
    try:
        return int(value) or None
    except (TypeError, ValueError):
        return None


def _databases() -> list[str]:
    from django.conf import settings

    return [
        alias for alias, config in settings.DATABASES.items() if config.get("ENGINE", "").rpartition(".")[2] != "dummy"
    ]


def _versions(django: bool) -> dict[str, str]:
    """Of what the app runs on: Django only where it is set up."""
    found = {"python": platform.python_version(), "platform": platform.platform(terse=True)}
    for package in (
        "celery",
        "kombu",
        "billiard",
        "redis",
        "django",
        "django-celery-results",
        "fakeredis",
        "celery-assay",
    ):
        if "django" in package and not django:
            continue
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
