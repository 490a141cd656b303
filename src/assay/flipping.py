"""Changes the configuration of an app that is being loaded. Runs in the zygote, before the app is imported."""

from collections.abc import Sequence
from typing import Any

from celery import Celery
from celery.app.task import Task

from assay.flip import Flip
from assay.redirect import configure

HOOKS = ("before_start",)


def before_tasks(flips: Sequence[Flip]) -> None:
    """From now on an app's settings are changed before its first task takes its options from them.

    Source: celery/app/task.py, Task.bind and Task.from_config.
    """
    bind = Task.bind.__func__

    def flipped(cls: type[Task], app: Celery) -> Any:
        if not hasattr(app, "assay_flips"):
            settings(app, flips)
        return bind(cls, app)

    Task.bind = classmethod(flipped)


def settings(app: Celery, flips: Sequence[Flip]) -> None:
    """The settings among them. They stay in force where a run would replace them: `redirect.apply`."""
    changes = {each.key: _value(app.conf.get(each.key), each) for each in flips if not each.task}
    app.assay_flips = changes
    app.assay_flipped_options = {
        key: value for each in flips if each.key == "broker_transport_options" for key, value in each.entries.items()
    }
    configure(app.conf, changes)


def tasks(app: Celery, flips: Sequence[Flip]) -> None:
    """The options of tasks among them, on an app that is finalized."""
    for each in flips:
        task = app.tasks.get(each.task) if each.task else None
        if task is None:
            continue
        if each.key == "autoretry_for" and hasattr(task, "_orig_run"):
            task.run = task._orig_run  # it was wrapped when the task was made: celery/app/autoretry.py
        if each.key in HOOKS:
            setattr(type(task), each.key, getattr(Task, each.key))  # what Celery itself does there
            continue
        value = tuple(each.value) if isinstance(each.value, list) else each.value
        setattr(type(task), each.key, value)
        setattr(task, each.key, value)


def _value(given: Any, flip: Flip) -> Any:
    if flip.without:
        return _without(given, flip.without)
    if flip.entries:
        return {**(given or {}), **flip.entries}
    return flip.value


def _without(given: Any, name: str) -> Any:
    """Of a dict, or of a list of pairs or queues, as settings of routes and queues are written."""
    if isinstance(given, dict):
        return {key: value for key, value in given.items() if str(key) != name}
    if isinstance(given, list | tuple):
        return type(given)(each for each in given if _name(each) != name)
    return given


def _name(entry: Any) -> str:
    first = entry[0] if isinstance(entry, list | tuple) and entry else entry
    return str(getattr(first, "name", first))
