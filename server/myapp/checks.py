"""Celery's configuration as Django system checks; what needs a connection runs with `check --deploy` only."""

from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Warned

OFFLINE = frozenset({"environment", "settings", "queues", "tasks", "visibility timeout"})
ONLINE = frozenset({"redis", "results", "database", "migrations"})


def _messages(wanted: frozenset[str]) -> list[CheckMessage]:
    from celery_app.validation import checks

    kinds = {False: Error, None: Warned}
    return [
        kinds[check.ok](f"Celery {check.name}: {check.text}", id=f"autotest.{check.name.replace(' ', '_')}")
        for check in checks("prefork", wanted)
        if check.ok is not True
    ]


@register()
def celery_configuration(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What can be told without a connection."""
    return _messages(OFFLINE)


@register(Tags.security, deploy=True)
def celery_deployment(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Redis, database and migrations too."""
    return _messages(ONLINE)
