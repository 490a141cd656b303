"""Celery's results in the database, kept through a short outage of it."""

from typing import Any

from celery import Celery
from django.db import InterfaceError, OperationalError, connection


class AutoTest(Celery):
    """The app. Its result backend tries again where the database is away."""

    def _get_backend(self) -> Any:
        backend = super()._get_backend()
        if type(backend).__module__.startswith("django_celery_results."):
            # It tries again for InterfaceError only, which is not what a server that restarts raises.
            backend.exception_safe_to_retry = away
        return backend


def away(error: BaseException) -> bool:
    """Whether the database may soon be back. The broken connection is closed, or the next try would fail on it."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    connection.close_if_unusable_or_obsolete()
    return True
