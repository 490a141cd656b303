"""Changes of settings that may mend a red row of a suite, the likeliest first. Pure."""

from collections.abc import Iterator
from typing import Any

import msgspec

from assay.flip import Flip
from assay.subject import RETRY_ON_LOST, Subject, Task

ROOM_S = 600.0
LOSS = ("task_acks_late", "task_reject_on_worker_lost", "task_retry_on_worker_lost")
SWITCHES: dict[str, tuple[str, ...]] = {
    "acks_late": (*LOSS, "worker_deduplicate_successful_tasks"),
    "canvas": LOSS,
    "reconnect": ("broker_connection_retry", "task_acks_late", "worker_deduplicate_successful_tasks"),
    "recycling": LOSS,
    "results": ("result_backend_always_retry", "task_track_started"),
    "retries": (*LOSS, "worker_deduplicate_successful_tasks"),
    "routing": LOSS,
    "shutdown": LOSS,
    "time_limits": ("task_acks_on_timeout", "task_acks_on_failure", "task_acks_on_failure_or_timeout"),
}


def candidates(suite: str, task: Task, subject: Subject, *, on_redis: bool) -> list[Flip]:
    """Each switches something on, or puts a value in order, that is not so yet for this task.

    What the app gives a value comes before what it leaves out.
    """
    found = [_named(flip, subject) for flip in _candidates(suite, task, subject, on_redis)]
    return sorted(found, key=lambda flip: subject.setting(flip.key) is None)


def _named(flip: Flip, subject: Subject) -> Flip:
    """With the name that the app can take, where it is a setting and that is not its name of today."""
    name = flip.key if flip.task else subject.spelled(flip.key)
    return flip if name == flip.key else msgspec.structs.replace(flip, name=name)


def _candidates(suite: str, task: Task, subject: Subject, on_redis: bool) -> Iterator[Flip]:
    for key in SWITCHES.get(suite, ()):
        if key == "task_retry_on_worker_lost" and subject.celery < RETRY_ON_LOST:
            continue
        yield from _switch(key, task, subject)
    if suite in ("acks_late", "shutdown", "reconnect") and subject.prefetch_multiplier != 1:
        yield Flip("worker_prefetch_multiplier", 1)
    if suite in ("acks_late", "retries") and on_redis:
        longest = max(task.time_limit or 0, task.soft_time_limit or 0, task.default_retry_delay)
        if longest >= subject.visibility_timeout:
            yield Flip("broker_transport_options", entries={"visibility_timeout": longest + ROOM_S})
    if suite == "time_limits" and task.time_limit and (task.soft_time_limit or 0) >= task.time_limit:
        yield Flip("task_soft_time_limit", round(0.9 * task.time_limit))
    if suite == "routing":
        yield from _queues(task, subject)
    yield from _of_contract(suite, task, subject, on_redis)


def _switch(key: str, task: Task, subject: Subject) -> Iterator[Flip]:
    option = key.removeprefix("task_")
    setting = subject.setting(key)
    if key.startswith("task_acks_on"):
        if setting is not None and setting.value is False:
            yield Flip(key, True)
    elif hasattr(task, option):
        if getattr(task, option):
            return
        if setting is not None and setting.value is True:
            yield Flip(option, True, task=task.name)  # the task's own option wins over the setting
        else:
            yield Flip(key, True)
    elif key == "worker_deduplicate_successful_tasks":
        if not subject.deduplicates:
            yield Flip(key, True)
    elif setting is None or setting.value is not True:
        yield Flip(key, True)


def _of_contract(suite: str, task: Task, subject: Subject, on_redis: bool) -> Iterator[Flip]:
    """What brings the app to what its team requires of the task. An option of the task wins over the setting."""
    due = task.contract
    if suite == "time_limits" and due.run_s and (not task.time_limit or task.time_limit > due.run_s):
        setting = subject.setting("task_time_limit")
        if task.time_limit and (setting is None or setting.value != task.time_limit):
            yield Flip("time_limit", _short(due.run_s), task=task.name)
        else:
            yield Flip("task_time_limit", _short(due.run_s))
    if suite == "retries" and due.attempts and (task.max_retries is None or task.max_retries >= due.attempts):
        yield Flip("max_retries", due.attempts - 1, task=task.name)
    if suite == "acks_late" and due.recovery_s and on_redis and subject.visibility_timeout > due.recovery_s:
        yield Flip("broker_transport_options", entries={"visibility_timeout": _short(due.recovery_s)})
    if suite == "routing" and due.queue and task.queue != due.queue:
        yield Flip("task_routes", entries={task.name: {"queue": due.queue}})


def _short(seconds: float) -> float:
    """As a person would write it: 60 rather than 60.0."""
    return int(seconds) if seconds == int(seconds) else seconds


def _queues(task: Task, subject: Subject) -> Iterator[Flip]:
    names = sorted({*subject.queues, *filter(None, (*(each.queue for each in subject.tasks), task.contract.queue))})
    if set(names) - set(subject.queues):
        queues: dict[str, Any] = {name: {"exchange": name, "routing_key": name} for name in names}
        yield Flip("task_queues", queues)
    if subject.create_missing_queues:
        yield Flip("task_create_missing_queues", False)
