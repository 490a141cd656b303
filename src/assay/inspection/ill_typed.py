"""Values of a type that Celery cannot use, looked for where a configuration could not be described."""

from typing import Any

from celery import Celery
from celery.app.defaults import NAMESPACES, flatten

from assay.places import Places

WANTED: dict[str, tuple[type, ...]] = {"dict": (dict,), "int": (int,), "float": (int, float)}
WORDS = {"dict": "a dict", "int": "a whole number", "float": "a number"}


def ill_typed(app: Celery, workdir: str) -> str:
    """ "task_time_limit='many' (shop.py:7) cannot be used: Celery wants a number there"; nothing where all is well."""
    places, said = Places(workdir), []
    for key, option in flatten(NAMESPACES):
        value, wanted = app.conf.get(key), _wanted(option.type)
        if value is not None and wanted and not isinstance(value, WANTED[wanted]):
            place = places.find(key)
            where = f" ({place})" if place else ""
            said.append(f"{key}={value!r}{where} cannot be used: Celery wants {WORDS[wanted]} there")
    return "; ".join(said)


def _wanted(kind: Any) -> str:
    name = kind if isinstance(kind, str) else getattr(kind, "__name__", "")
    return name if name in WANTED else ""
