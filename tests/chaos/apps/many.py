"""MANY_TASKS tasks in three profiles."""

import os

from celery import Celery

app = Celery("many", broker="redis://localhost:6379/0", backend="redis://localhost:6379/1")
app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True)
PROFILES = ({}, {"ignore_result": True}, {"acks_late": False, "reject_on_worker_lost": False})


def body() -> int:
    return 1


for number in range(int(os.environ.get("MANY_TASKS", "200"))):
    app.task(body, name=f"many.task_{number:03d}", **PROFILES[number % len(PROFILES)])
