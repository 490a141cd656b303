"""Settings and task options that nothing reads: claims that cannot hold, found without running anything."""

from assay.counted import listed
from assay.releases import SINCE
from assay.report import Claim
from assay.subject import Setting, Subject, Task, Unrouted
from assay.verdict import Verdict

UNREAD = "unread"  # the rule of an audit that tells of them
#: what people believe these do, and what does it
INTENTS = {
    "task_max_retries": (
        "a failed task is retried at most so often",
        "max_retries on a base Task class or in task_annotations",
    ),
    "task_default_retry_delay": (
        "a retry waits so long",
        "default_retry_delay on a base Task class or in task_annotations",
    ),
    "task_autoretry_for": ("these errors are retried", "autoretry_for on a base Task class"),
    "task_retry_backoff": ("retries back off", "retry_backoff on a base Task class"),
    "task_timeout": ("a task is stopped after so long", "task_time_limit"),
    "worker_max_task_per_child": ("a child is replaced after so many tasks", "worker_max_tasks_per_child"),
    "prefetch": ("a worker takes so many messages ahead", "worker_prefetch_multiplier"),
}
INTENTS |= {
    key.removeprefix("task_"): INTENTS[key]
    for key in ("task_max_retries", "task_default_retry_delay", "task_autoretry_for", "task_retry_backoff")
}
#: options of the task or the worker that are given without `task_` or `worker_`, and what they would be for
BARE = {
    key: f"{owner}_{key}"
    for owner, keys in {
        "task": (
            "acks_late",
            "acks_on_failure_or_timeout",
            "reject_on_worker_lost",
            "retry_on_worker_lost",
            "track_started",
            "time_limit",
            "soft_time_limit",
        ),
        "worker": ("concurrency", "prefetch_multiplier", "max_tasks_per_child", "max_memory_per_child"),
    }.items()
    for key in keys
}
#: options of the broker's transport that are given as settings. Source: kombu/transport/redis.py
TRANSPORT = (
    "global_keyprefix",
    "priority_steps",
    "queue_order_strategy",
    "socket_timeout",
    "unacked_restore_interval",
    "unacked_restore_throttle",
    "visibility_timeout",
)
PREFIXES = ("task_", "worker_", "broker_", "result_", "event_", "beat_", "redis_", "control_", "database_", "cache_")


def dead_claims(subject: Subject) -> list[Claim]:
    """One violated claim for each setting, task option or route of the app's own that nothing reads."""
    unread = [setting for setting in subject.settings if not setting.known and not setting.own]
    settings = [claim for setting in unread if (claim := _claim(setting, subject))]
    options = sorted({option for task in subject.tasks for option in task.unread})
    routes = [_route(route) for route in subject.unrouted if route.own]
    return [*settings, *(_option(option, subject) for option in options), *routes, *_soft_limits(subject)]


def _soft_limits(subject: Subject) -> list[Claim]:
    """One claim for each pair of limits of which the soft one is not the sooner."""
    pairs: dict[tuple[float, float, bool], list[Task]] = {}
    for task in subject.tasks:
        if task.soft_time_limit and task.time_limit and task.soft_time_limit >= task.time_limit:
            pairs.setdefault((task.soft_time_limit, task.time_limit, task.limits_refused), []).append(task)
    return [_soft_limit(soft, hard, tasks, subject) for (soft, hard, _), tasks in pairs.items()]


def _soft_limit(soft: float, hard: float, tasks: list[Task], subject: Subject) -> Claim:
    """Source: celery/concurrency/asynpool.py, AsynPool._on_soft_timeout: only then does it look at the hard limit."""
    setting = subject.setting("task_soft_time_limit")
    global_one = setting is not None and setting.value == soft
    then = (
        "both come at the same moment, so no body is told in time"
        if soft == hard
        else f"Celery {subject.versions.get('celery', '')} refuses to publish it"
        if tasks[0].limits_refused
        else "a prefork pool looks at it only when the soft one has passed"
    )
    return Claim(
        setting=str(setting) if global_one else f"soft_time_limit={soft:g}",
        promise=f"a body is told after {soft:g} s and can clean up before the hard limit",
        verdict=Verdict.VIOLATED,
        observed=f"the hard limit of {listed([task.name for task in tasks], 1)} is {hard:g} s, "
        f"which is not later: {then}",
        place=setting.place if global_one and setting else tasks[0].place,
        remedy=f"a soft limit below {hard:g} s, with the time between them that the body needs to clean up",
    )


def _route(route: Unrouted) -> Claim:
    return Claim(
        setting=f"task_routes[{route.name!r}]",
        promise="this task has a queue of its own",
        verdict=Verdict.VIOLATED,
        observed="no task of this name is registered: nothing is routed by it, and a worker would drop its messages",
        place=route.place,
        remedy=f"use {route.nearest}" if route.nearest else "name a registered task (assay list tasks), or remove it",
    )


def _option(option: str, subject: Subject) -> Claim:
    tasks = [task for task in subject.tasks if option in task.unread]
    release = _since(f"task_{option}")
    return Claim(
        setting=option,
        promise=f"what it does from Celery {release} on",
        verdict=Verdict.VIOLATED,
        observed=f"Celery {subject.versions.get('celery', '')} has no such task option: "
        f"{listed([task.name for task in tasks], 1)} {'carries' if len(tasks) == 1 else 'carry'} it, "
        "and nothing reads it",
        place=tasks[0].place,
        remedy=f"use Celery {release} or newer",
    )


def _since(key: str) -> str:
    return next((release for release, keys in SINCE.items() if key in keys), "")


def _claim(setting: Setting, subject: Subject) -> Claim | None:
    key = setting.key.lower().removeprefix("celeryd_").removeprefix("celery_")
    if key in INTENTS:
        promise, remedy = INTENTS[key]
    elif release := _since(key):
        promise, remedy = f"what it does from Celery {release} on", f"Celery {release} or newer"
    elif key in TRANSPORT:
        promise, remedy = "an option of the broker's transport", f"broker_transport_options={{{key!r}: ...}}"
    elif key in BARE:
        promise, remedy = "an option of every task or worker", BARE[key]
    elif key.startswith(PREFIXES) or (setting.key.isupper() and setting.nearest):
        promise, remedy = "it looks like a setting of Celery's", setting.nearest
    else:
        return None
    return Claim(
        setting=str(setting),
        promise=promise,
        verdict=Verdict.VIOLATED,
        observed=f"Celery {subject.versions.get('celery', '')} has no such setting: "
        "it is stored, shown by `celery report`, and read by neither it nor the project's sources",
        place=setting.place,
        remedy=subject.worded(f"use {_spelt(remedy, setting)}") if remedy else "",
    )


def _spelt(remedy: str, setting: Setting) -> str:
    """As the configuration spells its settings: under its own namespace, such as CELERY_, where it has one."""
    name, separator, rest = remedy.partition("=")
    namespace = setting.given.removesuffix(setting.key.upper()) if setting.given.isupper() else ""
    return f"{namespace}{name.upper()}{separator}{rest}" if namespace and name.isidentifier() else remedy
