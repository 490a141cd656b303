"""The settings that the user gave, under whichever names, and what of them may be shown."""

import difflib
import hashlib
import inspect
import re
from typing import Any

import msgspec
from celery import Celery
from celery.app.defaults import _TO_NEW_KEY as OLD_NAMES
from celery.app.defaults import NAMESPACES, SETTING_KEYS

from assay.inspection.sources import read_in
from assay.places import Places
from assay.subject import Setting

OLD_PREFIXES = ("CELERY_", "CELERYD_", "CELERYBEAT_", "BROKER_")
LONG = 200  # characters of a value that are shown
ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # of an object in memory: another one in each run
SECRET = ("password", "secret", "token", "key_file", "username", "credentials")


def namespace(app: Celery) -> str:
    """What the names of its settings begin with, as "CELERY_"; "" for none."""
    return str(getattr(app.conf, "prefix", "") or "")


def given_settings(app: Celery, places: Places) -> list[Setting]:
    """What the user set, in the order of the configuration; unknown keys are those that no part of Celery reads."""
    found = []
    prefix = namespace(app)
    values = app.conf.table(with_defaults=False, censored=False)
    for given, value in app.conf.table(with_defaults=False).items():
        key, known = named(given, prefix)
        if key and not inspect.ismethod(values.get(given)):  # Django's settings have some
            place = places.find(given) or places.find(key)
            nearest = "" if known else _nearest(key)
            found.append(
                Setting(
                    key,
                    _printable(key, _uncensored(value, values.get(given))),
                    known,
                    place,
                    "" if given == key else given,
                    nearest=nearest,
                )
            )
    unknown = {
        name: each.place.partition(":")[0]
        for each in found
        if not each.known
        for name in (each.key, each.given)
        if name
    }
    own = read_in(places.root, unknown)
    return [
        msgspec.structs.replace(each, own=not each.known and (bool(own & {each.key, each.given}) or _beats(app, each)))
        for each in found
    ]


def _beats(app: Celery, setting: Setting) -> bool:
    """Whether it may be of a scheduler that is not Celery's: that is loaded by `celery beat` alone."""
    return setting.key.startswith("beat_") and not str(app.conf.beat_scheduler).startswith("celery.")


def _uncensored(censored: Any, value: Any) -> Any:
    """Celery shows stars and ports also in an address that has neither: such a one is shown as it was given."""
    if not isinstance(value, str) or "://" not in value or "@" in value:
        return censored
    # ... unless it may have a key among its parameters
    return f"{value.partition('://')[0]}://..." if {";", "?"} & {*value} else value


def _nearest(key: str) -> str:
    """Among the old names for what is written as one: Celery refuses a configuration that mixes old and new."""
    names, least = (OLD_NAMES, 0.9) if key.isupper() else (SETTING_KEYS, 0.75)
    longer = [str(name) for name in names if name.startswith(f"{key}_")]
    if "_" in key and len(longer) == 1:
        return longer[0]  # of worker_prefetch it is worker_prefetch_multiplier
    return next(iter(difflib.get_close_matches(key, names, n=1, cutoff=least)), "")


def named(given: str, prefix: str) -> tuple[str, bool]:
    """(its name of today, whether Celery reads it); no name for what is not Celery's: all Django settings come along.

    Source: celery/app/utils.py (Settings, detect_settings) and celery/app/defaults.py (the old names).
    """
    if given in SETTING_KEYS:
        return given, True
    if given in OLD_NAMES:
        return OLD_NAMES[given], True
    if prefix and given.startswith(prefix):
        key = given.removeprefix(prefix).lower()
        return key, key in SETTING_KEYS
    if given.isupper():
        return (given if given.startswith(OLD_PREFIXES) and not prefix else ""), False
    return ("" if given == "deprecated_settings" else given), given in NAMESPACES or given.startswith("django_")


def _printable(key: str, value: Any) -> Any:
    if any(word in key.lower() for word in SECRET):
        return "(hidden)"
    if isinstance(value, bool | int | float) or value is None:
        return value
    text = ADDRESS.sub("", str(_ordered(value)))
    if "://" in text and "@" in text:
        return "(hidden: an address with credentials)"
    if any(word in text.lower() for word in ("password", "secret", "token")):
        return "(hidden: it holds a credential)"
    if len(text) <= LONG:
        return text
    # what follows is told from another such value all the same
    return f"{text[: LONG - 12]}...#{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _ordered(value: Any) -> Any:
    """With sets in one order, which is another one in each process."""
    if isinstance(value, dict):
        return {key: _ordered(each) for key, each in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(_ordered, value), key=str)
    return type(value)(map(_ordered, value)) if type(value) in (list, tuple) else value
