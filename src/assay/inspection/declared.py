"""Contracts that the app has at its tasks: by `@requires`, or as an option or a class attribute `assay` of a task."""

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

from celery import Celery

from assay.body import body_of
from assay.contract import required
from assay.contract.terms import Declared
from assay.places import Places
from assay.subject import Task

ATTRIBUTE, DECORATOR = "assay", "@requires"
MEANT = (Mapping, str, int, float, list, tuple)  # what a contract may have been meant by; all else is somebody else's


def declared(app: Celery, tasks: list[Task], places: Places) -> list[Declared]:
    """Of all tasks; what a base class says and the task says otherwise is the task's to say."""
    found = [each for task in tasks for each in _attributes(app.tasks[task.name], task, places)]
    bodies = {task.name: _layers(app.tasks[task.name]) for task in tasks}
    for thing, values in required.NOTED:
        names = [name for name, layers in bodies.items() if any(layer is thing for layer in layers)]
        # above @app.task it is at Celery's promise of a task, which the app's end of loading has kept
        names = names or [task.name for task in tasks if getattr(thing, "name", None) == task.name]
        shared = inspect.isclass(thing)
        found += [Declared(name, _plain(values), DECORATOR, _place_of(thing, places), shared) for name in names or [""]]
    return found


def _attributes(task: Any, told: Task, places: Places) -> Iterator[Declared]:
    """What its classes say, the task's own last: of two base classes the nearer one replaces the other's parts."""
    inherited: dict[str, tuple[Any, str]] = {}
    for cls in reversed(type(task).__mro__):
        if not isinstance(vars(cls).get(ATTRIBUTE), MEANT):
            continue
        values, own = _plain(vars(cls)[ATTRIBUTE]), cls is type(task)
        place = told.place if own else _class_place(cls, places)
        if own or not isinstance(values, dict):
            yield Declared(told.name, values, ATTRIBUTE, place, not own)
        else:
            inherited |= {str(part): (value, place) for part, value in values.items()}
    for place in dict.fromkeys(place for _, place in inherited.values()):
        parts = {part: value for part, (value, at) in inherited.items() if at == place}
        yield Declared(told.name, parts, ATTRIBUTE, place, True)


def _layers(task: Any) -> list[object]:
    """What a task is made of: its body, whatever that is wrapped in, and its classes."""
    layers: list[object] = [*type(task).__mro__]
    body: Any = body_of(task)
    while body is not None:
        body = getattr(body, "__func__", body)
        layers.append(body)
        body = getattr(body, "__wrapped__", None)
    return layers


def _place_of(thing: Any, places: Places) -> str:
    try:
        if inspect.isclass(thing):
            return _class_place(thing, places)
        code = inspect.unwrap(getattr(thing, "run", thing)).__code__
        return f"{places.relative(code.co_filename)}:{code.co_firstlineno}"
    except (AttributeError, ValueError):
        return "@requires"


def _class_place(cls: type, places: Places) -> str:
    try:
        return f"{places.relative(inspect.getsourcefile(cls) or '')}:{inspect.getsourcelines(cls)[1]}"
    except (OSError, TypeError):
        return f"{cls.__module__}.{cls.__qualname__}"


def _plain(values: Any) -> Any:
    """As JSON has it; what JSON has not, in words, which no part of a contract is."""
    if isinstance(values, Mapping):
        values = {part if isinstance(part, str) else str(part): _plain_value(each) for part, each in values.items()}
    return _plain_value(values)


def _plain_value(value: Any) -> Any:
    try:
        return json.loads(json.dumps(value, default=str))
    except (TypeError, ValueError):  # keys that are no words, or a table in itself
        return str(value)
