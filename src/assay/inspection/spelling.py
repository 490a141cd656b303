"""Under which names a configuration can be given settings: those of today, the old ones, or those of its namespace."""

from collections.abc import Sequence

from celery import Celery
from celery.app.defaults import _TO_OLD_KEY as OLD
from celery.app.defaults import SETTING_KEYS

from assay.inspection.settings import namespace
from assay.redirect import namespaced
from assay.releases import SINCE
from assay.subject import Setting

#: how the old name of a setting begins. Source: celery/app/defaults.py, NAMESPACES; those that are left have capitals
BEGINNINGS = {
    "task_": "CELERY_",
    "worker_": "CELERYD_",
    "result_": "CELERY_RESULT_",
    "event_": "CELERY_EVENT_",
    "beat_": "CELERYBEAT_",
}


def spelling(app: Celery, given: Sequence[Setting]) -> dict[str, str]:
    """{name of today: name that this configuration takes} of every setting; empty where those are the same.

    Names of today beside old ones are refused, and without the namespace, where there is one, they are not read.
    Each setting has an old name. Source: celery/app/utils.py, detect_settings: old ones are taken with old defaults.
    """
    prefix = namespace(app)
    keys = sorted({*SETTING_KEYS, *(key for newer in SINCE.values() for key in newer)})
    if prefix:
        under = any(each.given.startswith(prefix) for each in given)
        return {key: namespaced(key, prefix) for key in keys} if under or not given else {}
    return {key: old_name(key) for key in keys} if takes_old_names(app) else {}


def takes_old_names(app: Celery) -> bool:
    """Whether Celery has taken the configuration for one of old names, once it is read."""
    return OLD["task_acks_late"] in app.conf.maps[-1]


def old_name(key: str) -> str:
    """Also of a setting that this release does not have: a newer one refuses its name of today beside old ones."""
    if key in OLD:
        return str(OLD[key])
    beginning = next((each for each in BEGINNINGS if key.startswith(each)), "")
    return BEGINNINGS.get(beginning, "") + key.removeprefix(beginning).upper()
