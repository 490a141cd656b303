"""A task's effective options, wherever they come from: the decorator, its base class, annotations, settings."""

import inspect
import re
from collections.abc import Callable
from typing import Any

from celery import VERSION, Celery
from celery.app.task import Task as CeleryTask
from celery.worker.request import Request as CeleryRequest

from assay.body import body_of
from assay.by_hand import retries_by_hand
from assay.places import Places
from assay.redirect import has_own_backend
from assay.subject import Task

HOOKS = ("before_start", "on_success", "on_failure", "on_retry", "after_return", "__call__")
NEWER_OPTIONS = ("acks_on_failure", "acks_on_timeout", "retry_on_worker_lost")  # Celery 5.7


def task_options(app: Celery, task: Any, places: Places) -> Task:
    """What the worker will go by, not what the decorator says: Celery has merged them into the task's attributes."""
    run = inspect.unwrap(body_of(task))
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
        # None falls back to the task's own: celery/app/task.py, Task.retry
        max_retries=task.max_retries if (most := retry_kwargs.get("max_retries")) is None else most,
        default_retry_delay=float(task.default_retry_delay or 0),
        autoretry_for=tuple(
            getattr(error, "__name__", str(error)) for error in _each(getattr(task, "autoretry_for", None))
        ),
        retry_backoff=float(1 if backoff is True else backoff or 0),
        retry_backoff_max=float(600 if (longest := getattr(task, "retry_backoff_max", None)) is None else longest),
        retry_jitter=bool(getattr(task, "retry_jitter", True)),
        retry_countdown=retry_kwargs.get("countdown"),
        retries_itself=retries_by_hand(task, run),
        # the pool falls back to the app's limits; tasks themselves have them from Celery 5.7 on
        soft_time_limit=_seconds(task.soft_time_limit or app.conf.task_soft_time_limit),
        time_limit=_seconds(task.time_limit or app.conf.task_time_limit),
        limits_refused=_limits_refused(task),
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


def _limits_refused(task: Any) -> bool:
    """Celery 5.5 looks before it publishes, at the task's own limits; to those belong an app's from 5.7 on.

    Source: celery/app/task.py, Task.apply_async and Task.from_config.
    """
    soft, hard = task.soft_time_limit, task.time_limit
    return bool(soft and hard and soft > hard and VERSION[:2] >= (5, 5))


def _read(task: Any, option: str) -> Any:
    """A task's option, None where this release does not know it: any attribute may be given to a task."""
    return getattr(task, option) if hasattr(CeleryTask, option) else None


def _own_backend(task: Any) -> str:
    """What kind of backend a task has of its own; "" where it uses the app's."""
    if not has_own_backend(task):
        return ""
    own = task._backend if task._backend is not None else type(task).backend
    return backend_scheme(own) if isinstance(own, str) else type(own).__name__


def backend_scheme(backend: Any) -> str:
    text = str(backend or "disabled")
    return "disabled" if text.startswith("disabled") else text.partition("://")[0].partition(":")[0]


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


def _route(app: Celery, task: Any) -> str:
    """The queue that this task's message goes to; "" where that is not known, or is not declared (QueueNotFound).

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
    if queue := route.get("queue"):
        return str(getattr(queue, "name", queue))
    return _bound(app, route.get("exchange"), route.get("routing_key"))


def _bound(app: Celery, exchange: Any, key: str | None) -> str:
    """The declared queue that a route without one leads to; "" where it is not known."""
    exchange = getattr(exchange, "name", exchange)
    if exchange is None and key is None:
        return str(app.conf.task_default_queue)
    if exchange == "" and key in app.amqp.queues:
        return str(key)  # the default exchange of AMQP: the key is the queue's name
    exchange = app.conf.task_default_exchange if exchange is None else exchange
    for name, queue in app.amqp.queues.items():
        given = queue.exchange
        if given and given.name == exchange and _takes(given.type, str(queue.routing_key), key or ""):
            return str(name)
    return ""


def _takes(kind: str, bound: str, key: str) -> bool:
    """Whether an exchange of this kind hands a message with `key` to a queue that is bound with `bound`."""
    if kind == "topic":
        pattern = re.escape(bound).replace(r"\.\#", r"(?:\..*)?").replace(r"\#", ".*").replace(r"\*", r"[^.]+")
        return re.fullmatch(pattern, key) is not None
    return kind == "fanout" or bound == key


def _seconds(value: Any) -> float | None:
    return float(value) if value else None
