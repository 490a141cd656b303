"""What is flipped of a configuration, and to what. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from assay.audit.promises import EITHER_WAY, PROMISES
from assay.flip import Flip
from assay.mutate.mutant import Mutant
from assay.subject import Setting, Subject, Task

TAKEN_OUT: dict[str, Any] = {  # what is in force where nothing is given
    "broker_heartbeat": 0,
    "result_backend": None,
    "task_default_queue": "celery",
    "task_soft_time_limit": None,
    "task_time_limit": None,
    "worker_max_memory_per_child": None,
    "worker_max_tasks_per_child": None,
    "worker_prefetch_multiplier": 4,
    "worker_soft_shutdown_timeout": 0.0,
}
SHORT_VISIBILITY_S = 10.0
RETRY = {"max_retries": 0, "default_retry_delay": 0, "retry_backoff": False, "autoretry_for": []}
#: settings, and what else may do what they are for: flipped together with it, a scenario must go red
BACKED_UP_BY = {
    "task_reject_on_worker_lost": ("task_retry_on_worker_lost",),
    "task_retry_on_worker_lost": ("before_start", "task_reject_on_worker_lost"),
}
OF_A_TASK = ("acks_late", "reject_on_worker_lost", "retry_on_worker_lost", "time_limit", "soft_time_limit")


def mutants(subject: Subject) -> list[Mutant]:
    """One for each setting that makes a claim, for each route, queue and retry option, and each task's own option."""
    return [*_of_settings(subject), *_of_tasks(subject)]


def backups(mutant: Mutant, subject: Subject, them: Sequence[Mutant]) -> list[Mutant]:
    """Other mutants, of what may do the same as the one that survived."""
    found = []
    for name in BACKED_UP_BY.get(mutant.setting, ()):
        found += [each for each in them if each.setting == name]
        if name == "before_start":
            hooked = [task.name for task in subject.tasks if name in task.hooks]
            flips = [Flip(name, task=task) for task in hooked]
            found += [Mutant(setting=name, change=f"{name} of a base class", flips=flips)] * bool(hooked)
    return found


def _of_settings(subject: Subject) -> Iterator[Mutant]:
    for setting in subject.settings:
        key, value = setting.key, setting.value
        if not setting.known or key not in PROMISES:
            continue
        if key in ("task_routes", "task_queues"):
            yield from _of_entries(setting, subject)
        elif key == "broker_transport_options":
            yield from _of_transport(setting, subject)
        elif isinstance(value, bool):
            if value or key in EITHER_WAY:
                yield _mutant(setting, not value)
        elif key in TAKEN_OUT and value not in (None, 0, TAKEN_OUT[key]):
            yield _mutant(setting, TAKEN_OUT[key])


def _of_entries(setting: Setting, subject: Subject) -> Iterator[Mutant]:
    """Each route leads to the default queue, each other queue is not declared."""
    name, default = setting.given or setting.key, subject.default_queue
    if setting.key == "task_routes":
        for task in subject.tasks:
            if task.queue and task.queue != default:
                flip = Flip(setting.key, entries={task.name: {"queue": default}})
                change = f"{name}: {task.name} to {default}"
                yield Mutant(setting=setting.key, change=change, flips=[flip], place=setting.place, tasks=[task.name])
        return
    for queue in subject.queues:
        if queue != default:
            tasks = [task.name for task in subject.tasks if task.queue == queue]
            flip = Flip(setting.key, without=queue)
            change = f"{name} without {queue}"
            yield Mutant(setting=setting.key, change=change, flips=[flip], place=setting.place, tasks=tasks)


def _of_transport(setting: Setting, subject: Subject) -> Iterator[Mutant]:
    given = str(setting.value)
    entries: list[dict[str, Any]] = []
    if "visibility_timeout" in given and subject.on_redis:
        entries.append({"visibility_timeout": SHORT_VISIBILITY_S})
    if "socket_keepalive" in given and subject.on_redis:
        entries.append({"socket_keepalive": False, "socket_keepalive_options": None})
    if "'confirm_publish': True" in given and not subject.on_redis:
        entries.append({"confirm_publish": False})
    for some in entries:
        flip = Flip(setting.key, entries=some)
        yield Mutant(setting=setting.key, change=str(flip), flips=[flip], place=setting.place)


def _of_tasks(subject: Subject) -> Iterator[Mutant]:
    """Options that tasks of one profile have alike, and no setting gives them."""
    profiles: dict[str, list[Task]] = {}
    for task in subject.tasks:
        profiles.setdefault(task.profile(), []).append(task)
    for tasks in profiles.values():
        first = tasks[0]
        if first.autoretry_for and first.may_retry:
            options = {key: value for key, value in RETRY.items() if getattr(first, key)}
            if first.retry_backoff:
                options.pop("default_retry_delay", None)  # which is not looked at then
            yield from (_option(option, value, tasks) for option, value in options.items())
        for option in OF_A_TASK:
            value, setting = getattr(first, option), subject.setting(f"task_{option}")
            if value and (setting is None or setting.value != value):
                yield _option(option, False if value is True else None, tasks)


def _mutant(setting: Setting, value: Any) -> Mutant:
    return Mutant(
        setting=setting.key,
        change=f"{setting} -> {value}",
        flips=[Flip(setting.key, value)],
        place=setting.place,
    )


def _option(option: str, value: Any, tasks: Sequence[Task]) -> Mutant:
    names = [task.name for task in tasks]
    return Mutant(
        setting=option,
        change=f"{option}={getattr(tasks[0], option)} -> {value}",
        flips=[Flip(option, value, task=name) for name in names],
        place=tasks[0].place,
        tasks=names,
    )
