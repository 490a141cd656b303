"""Changes the configuration of an app that is being loaded. Runs in the zygote, before the app is imported."""

from collections.abc import Sequence
from typing import Any

from celery import Celery
from celery.app.autoretry import add_autoretry_behaviour
from celery.app.task import Task

from assay.flip import Flip
from assay.redirect import configure

HOOKS = ("before_start",)
RETRIES = ("autoretry_for", "default_retry_delay", "max_retries", "retry_backoff")


def before_tasks(flips: Sequence[Flip]) -> None:
    """From now on an app's settings are changed before any task takes its options from them.

    Source: celery/app/task.py, Task.bind and Task.from_config.
    """
    bind = Task.bind.__func__

    def flipped(cls: type[Task], app: Celery) -> Any:
        settings(app, flips)
        return bind(cls, app)

    Task.bind = classmethod(flipped)


def settings(app: Celery, flips: Sequence[Flip]) -> None:
    """The settings among them, also where the app has been configured once more since.

    They stay in force where a run would replace them: `redirect.apply`.
    """
    flipped = app.__dict__.setdefault("assay_flips", {})
    for each in flips:
        given = app.conf.get(each.key)
        if not each.task and (each.key not in flipped or given != flipped[each.key]):
            flipped[each.key] = _value(given, each)
            configure(app.conf, {each.key: flipped[each.key]})
    options = [each.entries for each in flips if each.key == "broker_transport_options"]
    app.assay_flipped_options = {key: value for some in options for key, value in some.items()}


def tasks(app: Celery, flips: Sequence[Flip]) -> None:
    """The options of tasks among them, on an app that is finalized."""
    for each in flips:
        task = app.tasks.get(each.task) if each.task else None
        if task is None:
            continue
        if each.key in HOOKS:
            setattr(task, each.key, getattr(Task, each.key).__get__(task))  # what Celery itself does there
            continue
        if each.key == "autoretry_for":
            task.assay_flipped_errors = tuple(task.autoretry_for)
        setattr(task, each.key, tuple(each.value) if isinstance(each.value, list) else each.value)
        if each.key in RETRIES:
            _retry_anew(task, each)


def _retry_anew(task: Any, flip: Flip) -> None:
    """Options of retries are taken over when a task is made, by what wraps its body: celery/app/autoretry.py."""
    given = getattr(task, "retry_kwargs", None) or {}
    if flip.key in given:
        task.retry_kwargs = {**given, flip.key: flip.value}
    if hasattr(task, "_orig_run"):
        task.run = task._orig_run
        del task._orig_run
        add_autoretry_behaviour(task)


def _value(given: Any, flip: Flip) -> Any:
    if flip.without:
        return _without(given, flip.without)
    if flip.entries:
        return {**given, **flip.entries} if isinstance(given, dict) else [flip.entries, *_each(given)]
    return flip.value


def _each(given: Any) -> list[Any]:
    """Of routes: a list of them, one, or none."""
    return list(given) if isinstance(given, list | tuple) else [] if given is None else [given]


def _without(given: Any, name: str) -> Any:
    """Of a dict, or of a collection of queues, as settings of queues are written."""
    if isinstance(given, dict):
        return {key: value for key, value in given.items() if str(key) != name}
    if isinstance(given, list | tuple | set | frozenset):
        return type(given)(each for each in given if str(getattr(each, "name", each)) != name)
    return given
