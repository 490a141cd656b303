"""Tasks and targets made by hand, for scenarios and scales."""

from typing import Any

from assay.scaling import Target
from assay.subject import Setting, Subject, Task


def task(**options: Any) -> Task:
    usual: dict[str, Any] = {
        "name": "shop.charge",
        "queue": "celery",
        "acks_late": False,
        "reject_on_worker_lost": False,
        "max_retries": 3,
        "default_retry_delay": 180.0,
        "soft_time_limit": None,
        "time_limit": None,
        "ignore_result": False,
    }
    return Task(**{**usual, **options})


def subject(*tasks: Task, settings: tuple[Setting, ...] = (), **options: Any) -> Subject:
    usual: dict[str, Any] = {
        "app": "shop",
        "name": "shop",
        "queues": ["celery"],
        "default_queue": "celery",
        "create_missing_queues": True,
        "pool": "prefork",
        "concurrency": 2,
        "versions": {"celery": "5.7.0"},
    }
    return Subject(tasks=list(tasks), settings=list(settings), **{**usual, **options})


def target(one: Task, pool: str = "prefork", **options: Any) -> Target:
    return Target(subject(one, **options), one, pool)
