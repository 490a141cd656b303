"""Settings that nothing reads: claims that cannot hold, found without running anything."""

import difflib

from assay.report import Claim
from assay.subject import Setting, Subject
from assay.verdict import Verdict

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
}
PREFIXES = ("task_", "worker_", "broker_", "result_", "event_", "beat_", "redis_", "control_", "database_", "cache_")


def dead_claims(subject: Subject) -> list[Claim]:
    """One violated claim for each setting that looks like Celery's and that this release does not read."""
    return [claim for setting in subject.settings if not setting.known and (claim := _claim(setting, subject))]


def _claim(setting: Setting, subject: Subject) -> Claim | None:
    key = setting.key.lower().removeprefix("celeryd_").removeprefix("celery_")
    if key in INTENTS:
        promise, remedy = INTENTS[key]
    elif key.startswith(PREFIXES):
        promise, remedy = "it looks like a setting of Celery's", _nearest(key)
    else:
        return None
    return Claim(
        setting=str(setting),
        promise=promise,
        verdict=Verdict.VIOLATED,
        observed=f"Celery {subject.versions.get('celery', '')} has no such setting: "
        "it is stored, shown by `celery report`, and read by nothing",
        place=setting.place,
        remedy=f"use {remedy}" if remedy else "remove it",
    )


def _nearest(key: str) -> str:
    from celery.app.defaults import SETTING_KEYS

    near = difflib.get_close_matches(key, SETTING_KEYS, n=1, cutoff=0.75)
    return near[0] if near else ""
