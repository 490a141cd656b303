"""What the user is told of a run before it: what it changes of the app, and what it cannot judge as it is."""

import os

from celery import Celery

from assay.counted import listed
from assay.redirect import FAST_RATE, slow_rate
from assay.subject import Subject


def redirected(app: Celery, subject: Subject) -> list[str]:
    """One sentence for each thing that a run changes of this app."""
    said = [f"broker: {subject.broker_scheme}:// goes to the run's broker"]
    backend = subject.result_backend
    if backend in {"disabled", "rpc", "django-db"}:
        said.append(f"results: {backend}, as configured")
    else:
        said.append(f"results: {backend} goes to a database of the run")
    said += [
        f"{task.name} has a result backend of its own ({task.backend}): its results go where the app's go"
        for task in subject.tasks
        if task.backend
    ]
    if subject.databases:
        said.append(
            f"Django database{'s' if len(subject.databases) > 1 else ''} {', '.join(subject.databases)}: "
            "private SQLite copies, made from nothing"
        )
    if app.conf.worker_state_db:
        said.append("worker_state_db: each worker has a private file")
    limited = [task for task in subject.tasks if slow_rate(task.rate_limit)]
    if limited:
        said.append(
            f"rate limit of {', '.join(f'{task.name} ({task.rate_limit})' for task in limited)}: "
            f"raised to {FAST_RATE:g}/s, so that a waiting task is not taken for a stuck one"
        )
    if app.conf.task_always_eager:
        said.append("task_always_eager is on: the run does not obey it, since an eager task meets no worker")
    said += [
        f"{key} is set in the environment and wins over the configuration: not obeyed in the run"
        for key in ("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND")
        if os.environ.get(key)
    ]
    return said


def warnings(subject: Subject) -> list[str]:
    """One sentence for each thing of this app that a run judges otherwise than a user may think."""
    said = [
        f"task_routes names {route.name}, which is no task of this app: not judged, another app's workers may have it"
        for route in subject.unrouted
        if not route.own
    ]
    if by_hand := [task.name for task in subject.tasks if task.retries_itself]:
        said.append(
            f"{listed(by_hand, 5)} {'calls' if len(by_hand) == 1 else 'call'} retry() by hand: "
            "how late and how often is the body's own, and is not judged with a hollow one"
        )
    said += [
        f"{each.place}: {each.how} is at a class that no task of this app is built on: it requires nothing here"
        for each in subject.declared
        if each.inherited and not each.task
    ]
    return said
