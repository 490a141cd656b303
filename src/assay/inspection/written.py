"""What only an audit asks of the app. Runs in the zygote, and only when an audit asks."""

import ast
import inspect
import os
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from celery import Celery
from celery.app.annotations import prepare as annotations_of
from celery.app.defaults import _TO_NEW_KEY as OLD_NAMES
from celery.app.defaults import SETTING_KEYS
from celery.exceptions import QueueNotFound
from celery.schedules import crontab, schedule

from assay.audit.promises import PROMISES
from assay.audit.written import Entry, Misplaced, Written
from assay.inspection.calls import passwords, read
from assay.inspection.settings import named, namespace
from assay.inspection.sources import read_in
from assay.inspection.spelling import old_name, takes_old_names
from assay.places import Places

DAY_MIN = 24 * 60
ENVIRONMENT = {"CELERY_BROKER_URL": "broker_url", "CELERY_RESULT_BACKEND": "result_backend"}
#: settings that rules ask for; none of them holds a secret
VALUES = (
    "accept_content",
    "broker_connection_retry",
    "broker_connection_retry_on_startup",
    "enable_utc",
    "result_accept_content",
    "result_backend_always_retry",
    "result_expires",
    "result_serializer",
    "task_acks_late",
    "task_always_eager",
    "task_eager_propagates",
    "task_ignore_result",
    "task_serializer",
    "timezone",
    "worker_cancel_long_running_tasks_on_connection_loss",
    "worker_pool",
    "worker_soft_shutdown_timeout",
)
#: settings that say what a queue that Celery makes by itself is like
OF_QUEUES = ("task_default_queue_type", "task_default_exchange", "task_default_exchange_type")
#: of a Django setting that is spelt as one of Celery's, but not under its namespace
OURS = ("TASK_", "WORKER_", "BROKER_", "RESULT_", "EVENT_", "BEAT_", "CELERY_")


def written(app: Celery, workdir: str) -> Written:
    places = Places(workdir)
    tasks = [task for name, task in sorted(app.tasks.items()) if not name.startswith("celery.")]
    names = set(app.tasks)
    options = app.conf.broker_transport_options or {}
    given = app.conf.table(with_defaults=False, censored=False)
    known = {named(name, namespace(app))[0] for name in given}
    published, unreached = read(places.root, names)
    values = {key: _plain(app.conf.get(key)) for key in VALUES if key in SETTING_KEYS}
    return Written(
        # Django's TIME_ZONE counts, and without UTC it is the machine's own (celery/app/base.py, Celery.timezone)
        values=values | {"timezone": _plain(app.conf.timezone) or (None if app.conf.enable_utc else "local")},
        defaults={key: _plain(app.conf.get(key)) for key in PROMISES if key in SETTING_KEYS and key not in known},
        passwords=passwords(places),
        overridden=dict(_overridden(app, given)),
        misplaced=[Misplaced(name, wanted, places.find(name)) for name, wanted in _misplaced(app, given, places)],
        annotated_late=[task.name for task in tasks if _annotated_late(app, task)],
        strings=[task.name for task in tasks if _by_name(task)],
        undeclared=[task.name for task in tasks if _undeclared(app, task)],
        queue_aliases={str(alias): str(queue.name) for alias, queue in app.amqp.queues.aliases.items()},
        zero_limits=[task.name for task in tasks if _zero(app, task)],
        broad=[task.name for task in tasks if _broad(task)],
        unnamed=[task.name for task in tasks if _unnamed(app, task)],
        entries=list(_entries(app, places)),
        dispatches=published,
        unreached=unreached,
        throttles=_throttles(),
        plain_queues=not any(app.conf.value_set_for(key) for key in OF_QUEUES),
        retries_database_errors=_retries_database_errors(app),
        confirms=bool(options.get("confirm_publish")),
        environment=[name for name in (*ENVIRONMENT, "REMAP_SIGTERM") if _differs(app, name)],
    )


def _retries_database_errors(app: Celery) -> bool:
    """As Celery itself asks the backend (celery/backends/base.py, Backend.store_result)."""
    if "django.db" not in sys.modules:
        return False
    from django.db import OperationalError

    try:
        return bool(app.backend.exception_safe_to_retry(OperationalError("database is locked")))
    except Exception:
        return False  # a backend that cannot be made here is another finding


def _undeclared(app: Celery, task: Any) -> bool:
    options = task._get_exec_options() if hasattr(task, "_get_exec_options") else {}
    if app.conf.task_create_missing_queues:
        return False  # and asking would declare the queue
    try:
        app.amqp.router.route(dict(options), task.name, (), {}, task_type=task)
    except QueueNotFound:
        return True
    except Exception:
        return False  # the user's own router: what it says without arguments is not known
    return False


def _throttles() -> bool:
    try:
        from kombu.transport.redis import Channel
    except ImportError:
        return False
    return hasattr(Channel, "unacked_restore_throttle")


def _zero(app: Celery, task: Any) -> bool:
    own = {"task_time_limit": task.time_limit, "task_soft_time_limit": task.soft_time_limit}
    return any(value == 0 and app.conf.get(key) for key, value in own.items())


def _by_name(task: Any) -> bool:
    return hasattr(task, "_orig_run") and any(isinstance(each, str) for each in _errors(task))


def _broad(task: Any) -> bool:
    return bool({Exception, BaseException} & {*_errors(task)}) and not getattr(task, "dont_autoretry_for", None)


def _differs(app: Celery, variable: str) -> bool:
    value, key = os.environ.get(variable), ENVIRONMENT.get(variable)
    return bool(value) and (key is None or app.conf.get(key) != value)


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return sorted(map(str, value))
    seconds = getattr(value, "total_seconds", None)
    return float(seconds()) if seconds else str(value)


def _errors(task: Any) -> tuple[Any, ...]:
    found = getattr(task, "autoretry_for", None) or ()
    return tuple(found) if isinstance(found, list | tuple | set) else (found,)


def _annotated_late(app: Celery, task: Any) -> bool:
    """A task takes autoretry_for when it is made (celery/app/autoretry.py); what comes later is an attribute only."""
    wraps = hasattr(task, "_orig_run")
    return not wraps and any(
        "autoretry_for" in (annotation.annotate(task) or annotation.annotate_any() or {})
        for annotation in annotations_of(app.conf.task_annotations)
    )


def _unnamed(app: Celery, task: Any) -> bool:
    """Named as Celery would name it, and not by its decorator, which may say the same."""
    run = inspect.unwrap(task.run)
    function = getattr(run, "__func__", run)
    if task.name != app.gen_task_name(getattr(function, "__name__", ""), getattr(function, "__module__", "")):
        return False
    try:
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return False
    decorators = [each for each in getattr(node, "decorator_list", ()) if isinstance(each, ast.Call)]
    return not any(keyword.arg == "name" for each in decorators for keyword in each.keywords)


def _overridden(app: Celery, given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Settings that were given twice, under two names: the one whose value is not in force, and the other."""
    names: dict[str, list[str]] = {}
    for name in given:
        names.setdefault(named(name, namespace(app))[0], []).append(name)
    for key, found in names.items():
        if len(found) > 1 and key in SETTING_KEYS:
            loser = next((name for name in found if given[name] != app.conf.get(key)), "")
            winner = next((name for name in found if name != loser), "")
            if loser:
                yield loser, winner


def _misplaced(app: Celery, given: dict[str, Any], places: Places) -> Iterator[tuple[str, str]]:
    """Names in capitals that would be read under the app's namespace, and that neither Celery nor the sources read."""
    found = {name: wanted for name, wanted in _spelt_otherwise(app, given) if wanted not in given}
    own = read_in(places.root, {name: places.find(name).rpartition(":")[0] for name in found})
    prefix = namespace(app)
    for name, wanted in found.items():
        key = wanted.removeprefix(prefix).lower() if prefix else OLD_NAMES.get(wanted, wanted)
        in_force = app.conf.get(key) == given[name]  # Celery finds some old names under a namespace too
        if name not in own and not in_force:
            yield name, wanted


def _spelt_otherwise(app: Celery, given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    prefix = namespace(app)
    old = takes_old_names(app)
    for name in given:
        if not name.isupper() or not name.startswith(OURS) or (prefix and name.startswith(prefix)):
            continue
        bare = name.removeprefix("CELERY_").lower()
        if prefix and name in OLD_NAMES:
            yield name, f"{prefix}{OLD_NAMES[name].upper()}"
        elif name not in OLD_NAMES and bare in SETTING_KEYS:
            yield name, f"{prefix}{bare.upper()}" if prefix else old_name(bare) if old else bare


def _entries(app: Celery, places: Places) -> Iterator[Entry]:
    for name, entry in (app.conf.beat_schedule or {}).items():
        given = entry if isinstance(entry, dict) else vars(entry)
        when = given.get("schedule")
        yield Entry(
            name=str(name),
            task=str(given.get("task") or ""),
            place=places.find_name(str(name)) or places.find("beat_schedule"),
            every_s=_every_s(when),
            crontab=isinstance(when, crontab),
            expires=bool((given.get("options") or {}).get("expires")),
        )


def _every_s(when: Any) -> float | None:
    """The shortest time between two runs. A crontab's days are left out: they make it longer at most."""
    if isinstance(when, int | float):
        return float(when)
    if isinstance(when, crontab):
        due = sorted(60 * hour + minute for hour in when.hour for minute in when.minute)
        gaps = [later - sooner for sooner, later in zip(due, [*due[1:], due[0] + DAY_MIN], strict=True)] if due else []
        return 60.0 * min(gaps) if gaps else None
    every = when.run_every if isinstance(when, schedule) else when
    seconds = getattr(every, "total_seconds", None)
    return float(seconds()) if seconds else None
