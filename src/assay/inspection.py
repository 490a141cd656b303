"""Describe the app under test: its tasks with their effective options, and its settings. Runs in the zygote."""

import difflib
import inspect
import os
import platform
import sys
from collections.abc import Callable
from importlib import metadata
from typing import Any
from urllib.parse import urlsplit

from celery import Celery
from celery.app.defaults import _TO_NEW_KEY as OLD_NAMES
from celery.app.defaults import NAMESPACES, SETTING_KEYS
from celery.app.routes import MapRoute
from celery.app.task import Task as CeleryTask
from celery.concurrency import ALIASES as POOLS
from celery.worker.request import Request as CeleryRequest

from assay.by_hand import retries_by_hand
from assay.places import Places
from assay.redirect import has_own_backend
from assay.subject import Setting, Subject, Task, Unrouted
from assay.told import redirected, warnings

HOOKS = ("before_start", "on_success", "on_failure", "on_retry", "after_return", "__call__")
NEWER_OPTIONS = ("acks_on_failure", "acks_on_timeout", "retry_on_worker_lost")  # Celery 5.7
OLD_PREFIXES = ("CELERY_", "CELERYD_", "CELERYBEAT_", "BROKER_")
SECRET = ("password", "secret", "token", "key_file", "username", "credentials")


def describe(app: Celery, name: str, workdir: str) -> Subject:
    """Everything that the harness needs to know of the app, before any address is redirected."""
    conf = app.conf
    places = Places(workdir)
    tasks = [_task(app, task, places) for key, task in sorted(app.tasks.items()) if not key.startswith("celery.")]
    options = conf.broker_transport_options or {}
    django = "django.conf" in sys.modules and bool(os.environ.get("DJANGO_SETTINGS_MODULE"))
    subject = Subject(
        app=name,
        name=app.main or name,
        tasks=tasks,
        settings=_settings(app, places),
        queues=sorted(str(queue) for queue in app.amqp.queues.consume_from) or [str(conf.task_default_queue)],
        default_queue=str(conf.task_default_queue),
        create_missing_queues=bool(conf.task_create_missing_queues),
        pool=_pool(conf.worker_pool),
        concurrency=_whole(conf.worker_concurrency) or 2,
        prefetch_multiplier=int(conf.worker_prefetch_multiplier),
        max_tasks_per_child=_whole(conf.worker_max_tasks_per_child),
        max_memory_per_child=_whole(conf.worker_max_memory_per_child),
        pool_restarts=bool(conf.worker_pool_restarts),
        soft_shutdown_timeout=float(_in_force(conf, "worker_soft_shutdown_timeout") or 0),
        visibility_timeout=float(options.get("visibility_timeout") or 3600),
        restore_period_s=float(options.get("unacked_restore_interval") or 10)
        * float(options.get("unacked_restore_throttle") or 10),
        priority_steps=tuple(int(step) for step in options.get("priority_steps") or (0, 3, 6, 9)),
        separator=str(options.get("sep") or "\x06\x16"),
        global_keyprefix=str(options.get("global_keyprefix") or ""),
        broker_scheme=urlsplit(str(conf.broker_url or "amqp://")).scheme,
        result_backend=_backend_scheme(conf.result_backend),
        deduplicates=bool(conf.get("worker_deduplicate_successful_tasks")),
        django=django,
        databases=_databases() if django else [],
        unrouted=_unrouted(app, places),
        versions=_versions(django),
    )
    subject.redirected = redirected(app, subject)
    subject.warnings = warnings(app, subject)
    return subject


def _task(app: Celery, task: Any, places: Places) -> Task:
    run = inspect.unwrap(getattr(task, "_orig_run", task.run))
    code = getattr(run, "__code__", None)
    failure_or_timeout = getattr(task, "acks_on_failure_or_timeout", True)
    on_failure, on_timeout = _read(task, "acks_on_failure"), _read(task, "acks_on_timeout")
    retry_kwargs = getattr(task, "retry_kwargs", None) or {}
    request = task.Request if isinstance(task.Request, type) else _symbol(task.Request)
    backoff = getattr(task, "retry_backoff", False)
    return Task(
        name=task.name,
        place=f"{places.relative(code.co_filename)}:{code.co_firstlineno}" if code else "",
        queue=_route(app, task),
        acks_late=bool(task.acks_late),
        reject_on_worker_lost=bool(task.reject_on_worker_lost),
        retry_on_worker_lost=bool(_read(task, "retry_on_worker_lost")),
        acks_on_failure=bool(failure_or_timeout if on_failure is None else on_failure),
        acks_on_timeout=bool(failure_or_timeout if on_timeout is None else on_timeout),
        max_retries=retry_kwargs.get("max_retries", task.max_retries),
        default_retry_delay=float(task.default_retry_delay or 0),
        autoretry_for=tuple(
            getattr(error, "__name__", str(error)) for error in _each(getattr(task, "autoretry_for", None))
        ),
        retry_backoff=float(1 if backoff is True else backoff or 0),
        retry_backoff_max=float(600 if (most := getattr(task, "retry_backoff_max", None)) is None else most),
        retry_jitter=bool(getattr(task, "retry_jitter", True)),
        retry_countdown=retry_kwargs.get("countdown"),
        retries_itself=retries_by_hand(task, run),
        # the pool falls back to the app's limits; tasks themselves have them from Celery 5.7 on
        soft_time_limit=_seconds(task.soft_time_limit or app.conf.task_soft_time_limit),
        time_limit=_seconds(task.time_limit or app.conf.task_time_limit),
        ignore_result=bool(task.ignore_result),
        track_started=bool(task.track_started),
        rate_limit=str(task.rate_limit) if task.rate_limit else None,
        priority=task.priority if isinstance(task.priority, int) else None,
        expires=_seconds(task.expires) if isinstance(task.expires, int | float) else None,
        serializer=str(task.serializer or "json"),
        base=_base(task),
        request="" if request is CeleryRequest or request is None else f"{request.__module__}.{request.__qualname__}",
        backend=_own_backend(task),
        hooks=tuple(hook for hook in HOOKS if _defines(task, hook)),
        required=_required(run, bound=hasattr(task.run, "__self__")),
        unread=tuple(
            option
            for option in NEWER_OPTIONS
            if getattr(task, option, None) is not None and not hasattr(CeleryTask, option)
        ),
    )


def _read(task: Any, option: str) -> Any:
    """A task's option, None where this release does not know it: any attribute may be given to a task."""
    return getattr(task, option) if hasattr(CeleryTask, option) else None


def _own_backend(task: Any) -> str:
    """What kind of backend a task has of its own; "" where it uses the app's."""
    if not has_own_backend(task):
        return ""
    own = task._backend if task._backend is not None else type(task).backend
    return _backend_scheme(own) if isinstance(own, str) else type(own).__name__


def _each(value: Any) -> tuple[Any, ...]:
    if not value:
        return ()
    return tuple(value) if isinstance(value, list | tuple | set) else (value,)


def _symbol(path: Any) -> Any:
    from kombu.utils.imports import symbol_by_name

    try:
        return symbol_by_name(path)  # type: ignore[no-untyped-call]
    except (ImportError, AttributeError):
        return None


def _base(task: Any) -> str:
    base = next((cls for cls in type(task).__mro__[1:] if cls is not object), CeleryTask)
    return f"{base.__module__}.{base.__qualname__}"


def _defines(task: Any, hook: str) -> bool:
    return getattr(type(task), hook, None) is not getattr(CeleryTask, hook, None)


def _required(run: Callable[..., Any], *, bound: bool) -> int:
    try:
        parameters = list(inspect.signature(run).parameters.values())[int(bound) :]
    except (TypeError, ValueError):
        return 0
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return sum(p.default is p.empty and p.kind in kinds for p in parameters)


def _pool(given: Any) -> str:
    """Celery's own name of a pool that is given by an alias, a dotted path or its class; any other one as it is."""
    path = f"{given.__module__}:{given.__qualname__}" if isinstance(given, type) else str(given)
    paths = {str(path).replace(":", "."): name for name, path in reversed(list(POOLS.items())) if name != "custom"}
    return str(paths.get(str(POOLS.get(path) or path).replace(":", "."), path))


def _route(app: Celery, task: Any) -> str:
    """The queue that this task's message goes to; "" where the route names an undeclared queue (QueueNotFound).

    Looking it up declares a queue that was missing, and before Celery 5.7 a worker forked afterwards would consume it
    (celery/app/amqp.py, Queues.__missing__): so it is taken away again.
    """
    options = task._get_exec_options() if hasattr(task, "_get_exec_options") else {}
    declared = set(app.amqp.queues)
    try:
        route = app.amqp.router.route(dict(options), task.name, (), {}, task_type=task)
    except Exception:
        return ""
    finally:
        for name in set(app.amqp.queues) - declared:
            del app.amqp.queues[name]
    queue = route.get("queue")
    return str(getattr(queue, "name", queue) or route.get("routing_key") or app.conf.task_default_queue)


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


def _settings(app: Celery, places: Places) -> list[Setting]:
    """What the user set, in the order of the configuration; unknown keys are those that no part of Celery reads."""
    found = []
    prefix = str(getattr(app.conf, "prefix", "") or "")
    values = app.conf.table(with_defaults=False, censored=False)
    for given, value in app.conf.table(with_defaults=False).items():
        key, known = _named(given, prefix)
        if key:
            place = places.find(given) or places.find(key)
            nearest = "" if known else _nearest(key)
            found.append(
                Setting(
                    key,
                    _printable(key, _uncensored(value, values.get(given))),
                    known,
                    place,
                    "" if given == key else given,
                    nearest,
                )
            )
    return found


def _uncensored(censored: Any, value: Any) -> Any:
    """Celery shows stars and ports also in an address that has neither: such a one is shown as it was given."""
    return value if isinstance(value, str) and "://" in value and "@" not in value else censored


def _in_force(conf: Any, key: str) -> Any:
    """A setting's value, None where this release stores it and does not read it."""
    return conf.get(key) if key in SETTING_KEYS else None


def _nearest(key: str) -> str:
    """Among the old names for what is written as one: Celery refuses a configuration that mixes old and new."""
    names, least = (OLD_NAMES, 0.9) if key.isupper() else (SETTING_KEYS, 0.75)
    return next(iter(difflib.get_close_matches(key, names, n=1, cutoff=least)), "")


def _named(given: str, prefix: str) -> tuple[str, bool]:
    """(its name of today, whether Celery reads it); no name for what is not Celery's: all Django settings come along.

    Source: celery/app/utils.py (Settings, detect_settings) and celery/app/defaults.py (the old names).
    """
    if given in SETTING_KEYS:
        return given, True
    if given in OLD_NAMES:
        return OLD_NAMES[given], True
    if prefix and given.startswith(prefix):
        key = given.removeprefix(prefix).lower()
        return key, key in SETTING_KEYS
    if given.isupper():
        return (given if given.startswith(OLD_PREFIXES) and not prefix else ""), False
    return ("" if given == "deprecated_settings" else given), given in NAMESPACES or given.startswith("django_")


def _printable(key: str, value: Any) -> Any:
    if any(word in key.lower() for word in SECRET):
        return "(hidden)"
    if isinstance(value, bool | int | float) or value is None:
        return value
    text = str(value)
    if "://" in text and "@" in text:
        return "(hidden: an address with credentials)"
    if any(word in text.lower() for word in ("password", "secret", "token")):
        return "(hidden: it holds a credential)"
    return text if len(text) <= 200 else text[:197] + "..."


def _whole(value: Any) -> int | None:
    try:
        return int(value) or None
    except (TypeError, ValueError):
        return None


def _seconds(value: Any) -> float | None:
    return float(value) if value else None


def _backend_scheme(backend: Any) -> str:
    text = str(backend or "disabled")
    return "disabled" if text.startswith("disabled") else text.partition("://")[0].partition(":")[0]


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
