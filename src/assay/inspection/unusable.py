"""Values that Celery cannot use: what a run replaces is looked at first, all else where a description failed."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from celery import Celery
from celery.app.backends import by_url
from celery.app.defaults import NAMESPACES, flatten
from kombu.transport import get_transport_cls

from assay.places import Places

WANTED: dict[str, tuple[type, ...]] = {"dict": (dict,), "int": (int,), "float": (int, float)}
WORDS = {"dict": "a dict", "int": "a whole number", "float": "a number"}
HARMLESS = re.compile(r"[\w.:+-]*")  # a name, a path to a class, a scheme: no password is in it
BROKERS = ("broker_url", "broker_read_url", "broker_write_url")


def unusable(app: Celery, workdir: str) -> str:
    """ "task_time_limit='many' (shop.py:7) cannot be used: Celery wants a number there"; nothing where all is well."""
    return _told((*_ill_typed(app), *_transports(app), *_options(app)), workdir)


def without_backend(app: Celery, workdir: str) -> str:
    """Likewise of the result backend, which a run mostly replaces: its workers would start, and the app's would not."""
    wrong = list(_backend(app))
    return _told(wrong, workdir) if wrong else ""  # places in the sources are looked for in vain else


def _told(values: Iterable[tuple[str, str, str]], workdir: str) -> str:
    places = Places(workdir)
    return "; ".join(
        f"{key}{shown}{f' ({place})' if (place := places.find(key)) else ''} cannot be used: {why}"
        for key, shown, why in values
    )


def _ill_typed(app: Celery) -> Iterator[tuple[str, str, str]]:
    for key, option in flatten(NAMESPACES):
        value, wanted = app.conf.get(key), _wanted(option.type)
        given = value is not None and value != option.default  # Celery's own are of other types, and it can use them
        if given and wanted and not isinstance(value, WANTED[wanted]):
            yield key, f"={value!r}", f"Celery wants {WORDS[wanted]} there"


def _transports(app: Celery) -> Iterator[tuple[str, str, str]]:
    """An address may have a password in it: only its scheme is shown."""
    for key in BROKERS:
        for address in str(app.conf.get(key) or "").split(";"):
            scheme, separator, _ = address.partition("://")
            if not separator:
                continue
            try:
                get_transport_cls(scheme)
            except (KeyError, ImportError) as error:
                yield key, f"={scheme}://...", str(error.args[0] if error.args else error)


def _backend(app: Celery) -> Iterator[tuple[str, str, str]]:
    """Its class alone is imported, as a worker does at its start; an address may have a password in it."""
    given = app.backend_cls or app.conf.result_backend
    try:
        by_url(given, app.loader)
    except Exception as error:  # of the user's own code, or of Django's
        scheme, separator, _ = str(given).partition("://")
        harmless = HARMLESS.fullmatch(scheme)
        yield "result_backend", f"={scheme}{separator and '://...'}" * bool(harmless), _why(error, bool(harmless))


def _why(error: Exception, harmless: bool) -> str:
    said = str(error) if harmless else "it cannot be read as a backend's name or address"
    return f"{said} ({type(error).__name__})"


def _options(app: Celery) -> Iterator[tuple[str, str, str]]:
    options = app.conf.get("broker_transport_options")
    value = options.get("visibility_timeout") if isinstance(options, dict) else None
    if value is not None and not isinstance(value, int | float):
        yield "broker_transport_options", f" with visibility_timeout={value!r}", "kombu wants seconds there, a number"


def _wanted(kind: Any) -> str:
    name = kind if isinstance(kind, str) else getattr(kind, "__name__", "")
    return name if name in WANTED else ""
