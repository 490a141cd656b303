"""AutoTest's tasks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.exceptions import Ignore, SoftTimeLimitExceeded
from django.core.exceptions import ValidationError
from django.utils import timezone

from autotest import environment as deployment
from celery_app.configuration import HARD_LIMIT_S, SCRIPTS, SOFT_LIMIT_S, TEMPLATES, VISIBILITY_S
from celery_app.reliable import ReliableTask
from myapp.models import Attempt, Execution, InvocationStarts, Script, Status, TemplateVersion
from myapp.models.executions import FINISHED
from myapp.running.closing import abandoned, batches
from myapp.running.process import Ended, script_process
from myapp.running.record import Record, begin
from myapp.running.rendering import check_source, check_storable, rendered, validated
from myapp.running.workplace import scrubbed, workplace


@shared_task(bind=True, name="myapp.views.celery_views.execute_python_script")
def execute_python_script(
    self: ReliableTask,
    source: str = "",
    script: str = "",
    arguments: list[str] | None = None,
    working_directory: str = "",
    environment: dict[str, str] | None = None,
    timeout_s: int | None = None,
) -> dict[str, Any]:
    """Run a Python script: the one recorded for this invocation, else `source`, else the stored one named `script`.

    The script's own exit code is a result, not a failure of the task: `{"status", "exit_code", "execution"}`.
    """

    def complete(execution: Execution) -> None:
        if not execution.source and script:
            execution.source = Script.objects.values_list("source", flat=True).get(name=script)
            execution.save(update_fields=["source"])

    given = {
        "name": script,
        "source": source,
        "arguments": _of(list, arguments, "arguments"),
        "working_directory": working_directory,
        "environment": _of(dict, environment, "environment"),
        "timeout_s": min(max(1, int(timeout_s or SOFT_LIMIT_S)), SOFT_LIMIT_S),
    }
    return _run(self, SCRIPTS, given, complete)


@shared_task(bind=True, name="myapp.views.celery_views.execute_dynamic_script_task")
def execute_dynamic_script_task(
    self: ReliableTask, template: str = "", version: int | None = None, parameters: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Render a template with validated parameters and run it: the recorded one, else `template` (newest `version`)."""

    def complete(execution: Execution) -> None:
        if execution.source:
            return
        versions = TemplateVersion.objects.filter(template__name=template, template__is_active=True)
        chosen = versions.get(number=version) if version else versions.latest("number")
        execution.template_version, execution.source = chosen, chosen.source
        execution.parameters = validated(chosen.parameter_schema, execution.parameters)
        execution.save(update_fields=["template_version", "source", "parameters"])

    given = {"name": template, "parameters": _of(dict, parameters, "parameters"), "timeout_s": SOFT_LIMIT_S}
    return _run(self, TEMPLATES, given, complete)


@shared_task(bind=True, name="myapp.views.celery_views.clear_old_records")
def clear_old_records(self: ReliableTask, days: int | None = None) -> dict[str, int]:
    """Delete records older than `days`, in batches, and close those that no worker has any more."""
    if days is not None and days < 0:
        raise ValueError(f"days must not be negative: {days}")
    now, keep_days = timezone.now(), deployment.environment().keep_days
    before = now - timedelta(days=keep_days if days is None else days)
    lost = abandoned(now - timedelta(seconds=VISIBILITY_S + 2 * HARD_LIMIT_S), now - timedelta(days=keep_days))
    deleted = 0
    # What still waits or runs is not deleted under its worker: it would be recorded anew, without its script.
    for ids in batches(Execution.objects.filter(created_at__lt=before, status__in=FINISHED)):
        Attempt.objects.filter(execution_id__in=ids).delete()
        Execution.objects.filter(pk__in=ids).only("pk").delete()  # not their output, megabytes each
        deleted += len(ids)
    for names in batches(InvocationStarts.objects.filter(updated_at__lt=before)):
        InvocationStarts.objects.filter(pk__in=names).delete()
    return {"deleted": deleted, "lost": lost}


def _of(kind: type, value: Any, name: str) -> Any:
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise ValidationError({name: f"must be a {kind.__name__}"})
    return value


def _run(
    task: ReliableTask, queue: str, given: dict[str, Any], complete: Callable[[Execution], None]
) -> dict[str, Any]:
    for name, value in given.items():
        check_storable(value, name)
    record = begin(task.request, task.name, queue, given)
    if isinstance(record, Execution):
        return _result(record)  # finished, or cancelled, before this delivery
    try:
        complete(record.execution)
        ended = _script(record)
        if ended.stopped:
            return _stopped(record)
        _finish(record, ended)
    except SoftTimeLimitExceeded:
        record.finish(Status.TIMED_OUT, error="the task's time limit was reached")
        raise
    except Ignore:
        raise
    except ReliableTask.autoretry_for as error:
        last = (task.request.retries or 0) >= (task.max_retries or 0)
        record.finish(Status.FAILED if last else Status.RETRYING, error=f"{type(error).__name__}: {error}")
        raise
    except Exception as error:
        record.finish(Status.FAILED, error=f"{type(error).__name__}: {error}")
        raise
    except BaseException as error:
        # The worker is told to end this process: by a cold shutdown, which redelivers, by a revocation or a hard limit,
        # which do not. Only Celery's main process knows which, and closes the execution (`closing`); here the attempt.
        with suppress(Exception):
            record.leave(Status.LOST, f"its process was told to end: {type(error).__name__}")
        raise
    record.execution.refresh_from_db()
    return _result(record.execution)


def _script(record: Record) -> Ended:
    execution = record.execution
    check_source(execution.source)
    source = execution.source
    if execution.queue == TEMPLATES:
        source = rendered(source, execution.parameters)
    with workplace(execution.working_directory) as folder, workplace("") as own:
        path = own / "script.py"
        path.write_text(source, encoding="utf-8")
        env = scrubbed(execution.environment, folder)
        arguments = [str(each) for each in execution.arguments]
        timeout_s = float(execution.timeout_s or SOFT_LIMIT_S)
        with script_process(path, arguments, env, folder, timeout_s) as process:
            return process.follow(record.hear, most=record.room)


def _finish(record: Record, ended: Ended) -> None:
    if ended.timed_out:
        record.finish(Status.TIMED_OUT, error=f"not finished after {record.execution.timeout_s} s")
        return
    status = Status.SUCCEEDED if ended.exit_code == 0 else Status.FAILED
    record.finish(status, exit_code=ended.exit_code, error=ended.why)


def _stopped(record: Record) -> dict[str, Any]:
    """Cancelled, or overtaken by a later attempt: then no result is stored, which would pass for the later one's."""
    execution = Execution.objects.filter(pk=record.execution.pk).first()
    if execution is None or execution.status not in FINISHED:
        record.leave(Status.LOST, "overtaken by a later attempt")
        raise Ignore("overtaken by a later attempt")
    record.leave(Status(execution.status), execution.error)
    return _result(execution)


def _result(execution: Execution) -> dict[str, Any]:
    return {"execution": str(execution.pk), "status": execution.status, "exit_code": execution.exit_code}
