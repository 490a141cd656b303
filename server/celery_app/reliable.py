"""The base class of every task: which errors are retried, and how often an invocation may be started at all."""

from typing import Any

import kombu.exceptions
import redis.exceptions
from celery import Task
from django.db import InterfaceError, OperationalError

from celery_app.configuration import MAX_RETRIES, RETRY_DELAY_S

#: redeliveries that an invocation may need beyond its retries before it is held to be what kills its workers
MOST_REDELIVERIES = 3


class TransientError(Exception):
    """Raise it, or a subclass, for anything that is likely to be gone in a minute."""


class TooManyStarts(Exception):
    """The invocation was started again and again and its process died each time; it is not started any more."""


class ReliableTask(Task):  # type: ignore[misc]
    """Retries after 60 s, at most 3 times, for transient errors only; a bounded number of starts for anything else."""

    autoretry_for = (
        TransientError,
        OperationalError,
        InterfaceError,
        ConnectionError,
        redis.exceptions.ConnectionError,
        redis.exceptions.TimeoutError,
        kombu.exceptions.OperationalError,
    )
    max_retries = MAX_RETRIES
    default_retry_delay = RETRY_DELAY_S

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        """Count this start where a dead worker cannot take the count along. Raises TooManyStarts beyond the bound.

        Celery counts neither a redelivery nor a lost main process against max_retries. An error raised here is an
        ordinary failure: recorded, and its message acknowledged.
        """
        from myapp.models import InvocationStarts

        try:
            starts = InvocationStarts.count(task_id)
        except (OperationalError, InterfaceError) as error:
            raise self.retry(exc=error) from error
        most = 1 + MAX_RETRIES + MOST_REDELIVERIES
        if starts > most:
            raise TooManyStarts(f"started {starts - 1} times without an end, {most} are allowed")
