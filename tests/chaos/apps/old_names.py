"""Upper-case setting names of Celery 3, with priorities: a queue is several lists, under a prefix."""

from celery import Celery

app = Celery("old_names")
app.config_from_object(
    {
        "BROKER_URL": "redis://localhost:6379/0",
        "CELERY_RESULT_BACKEND": "redis://localhost:6379/1",
        "CELERY_ACKS_LATE": True,
        "CELERY_REJECT_ON_WORKER_LOST": True,
        "CELERY_DEFAULT_QUEUE": "main",
        "CELERYD_PREFETCH_MULTIPLIER": 1,
        "CELERYD_TASK_TIME_LIMIT": 120,
        "CELERYD_MAX_TASKS_PER_CHILD": 20,
        "BROKER_TRANSPORT_OPTIONS": {
            "priority_steps": list(range(10)),
            "sep": ":",
            "queue_order_strategy": "priority",
            "global_keyprefix": "old.",
        },
    }
)


@app.task(priority=7)
def urgent() -> int:
    return 1


@app.task
def usual() -> int:
    return 1


half = Celery("half")  # a lost child loses its task
half.config_from_object({"BROKER_URL": "redis://localhost:6379/0", "CELERY_ACKS_LATE": True})


@half.task(name="old_names.charge")
def charge() -> int:
    return 1
