"""What can be asked of AutoTest: run a script, run a template, cancel. Page, API and admin all go through here."""

from __future__ import annotations

import logging
import uuid
from pathlib import Path
from typing import Any

from celery import Celery
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from celery_app.configuration import SCRIPTS, SOFT_LIMIT_S, TEMPLATES
from myapp.models import Execution, Script, Status, TemplateVersion
from myapp.running.closing import close
from myapp.running.rendering import check_source, check_storable, validated
from myapp.running.workplace import checked_directory, scrubbed

logger = logging.getLogger(__name__)
SCRIPT_TASK = "myapp.views.celery_views.execute_python_script"
TEMPLATE_TASK = "myapp.views.celery_views.execute_dynamic_script_task"


def submit_script(
    user: User | None,
    *,
    source: str = "",
    script: Script | None = None,
    arguments: list[str] | None = None,
    environment: dict[str, str] | None = None,
    working_directory: str = "",
    timeout_s: int | None = None,
    name: str = "",
) -> Execution:
    """Record and queue a script, given or stored. Raises ValidationError for what cannot be run.

    A broker that cannot be reached leaves the execution recorded as publish_failed: nothing is lost, nothing raised.
    """
    source = script.source if script else source
    check_source(source)
    checked_directory(working_directory)
    scrubbed(environment or {}, Path("/"))  # the worker refuses some variables
    check_storable(arguments or [], "arguments")
    check_storable(environment or {}, "environment")
    check_storable(name, "name")
    execution = Execution(
        id=uuid.uuid4(),
        name=name or (script.name if script else ""),
        task=SCRIPT_TASK,
        queue=SCRIPTS,
        source=source,
        arguments=list(arguments or []),
        environment=dict(environment or {}),
        working_directory=working_directory,
        timeout_s=_timeout(timeout_s),
        created_by=user,
    )
    return _queue(execution, kwargs={})


def submit_template(user: User | None, version: TemplateVersion, parameters: dict[str, Any]) -> Execution:
    """Record and queue a template's version with these parameters. Raises ValidationError where they do not fit."""
    execution = Execution(
        id=uuid.uuid4(),
        name=version.template.name,
        task=TEMPLATE_TASK,
        queue=TEMPLATES,
        template_version=version,
        source=version.source,
        parameters=validated(version.parameter_schema, parameters),
        created_by=user,
        timeout_s=_timeout(None),
    )
    return _queue(execution, kwargs={})


def cancel(execution: Execution, user: User | None) -> None:
    """Stop it: a waiting one never runs, a running one is ended with everything that it started."""
    from celery_app import app

    with transaction.atomic():
        changed = close(Execution.objects.filter(pk=execution.pk), Status.CANCELLED, f"cancelled by {user}")
        # The row alone is enough: a worker that picks the message up sees it, and a running attempt looks at it twice a
        # second. The broadcast is quicker, reaches one that is stuck, and may fail when the broker is away.
        if changed:
            transaction.on_commit(lambda: _revoke(app, str(execution.pk)))
    execution.refresh_from_db()


def _revoke(app: Celery, task_id: str) -> None:
    try:
        app.control.revoke(task_id, terminate=True, signal="SIGTERM")
    except Exception:
        logger.warning("could not tell the workers that %s is cancelled; its own attempt will see it", task_id)


def _timeout(timeout_s: int | None) -> int:
    if timeout_s is None:
        return SOFT_LIMIT_S
    if not 0 < timeout_s <= 600:
        raise ValidationError({"timeout_s": "must be between 1 and 600 seconds"})
    return min(timeout_s, SOFT_LIMIT_S)


def _queue(execution: Execution, kwargs: dict[str, Any]) -> Execution:
    """The row first, the message when it is committed: a worker never meets a message without its row."""
    with transaction.atomic():
        execution.save(force_insert=True)
        transaction.on_commit(lambda: _publish(execution, kwargs))
    execution.refresh_from_db()
    return execution


def _publish(execution: Execution, kwargs: dict[str, Any]) -> None:
    import myapp.views.celery_views  # noqa: F401 - registers the tasks; a web process has not imported them
    from celery_app import app

    try:
        app.send_task(execution.task, kwargs=kwargs, task_id=str(execution.pk), retry=False)
    except Exception as error:
        # Whatever it was, a row that says "waiting" for ever would be a lie. Should the message have got through after
        # all, the worker finds its execution closed and does not run it.
        logger.exception("execution %s could not be queued", execution.pk)
        close(
            Execution.objects.filter(pk=execution.pk, status=Status.QUEUED),
            Status.PUBLISH_FAILED,
            f"it could not be queued: {type(error).__name__}",
        )
