"""AutoTest's tasks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.exceptions import Retry, SoftTimeLimitExceeded
from django.utils import timezone

from autotest.environment import environment
from celery_app.configuration import HARD_LIMIT_S, SCRIPTS, SOFT_LIMIT_S, TEMPLATES, VISIBILITY_S
from celery_app.reliable import ReliableTask
from myapp.models import Execution, InvocationStarts, Script, Status, TemplateVersion
from myapp.running.process import Ended, ScriptProcess
from myapp.running.record import Record, abandoned, begin
from myapp.running.rendering import check_source, rendered, validated
from myapp.running.workplace import scrubbed, workplace

BATCH = 500


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
    if script and not source:
        source = Script.objects.values_list("source", flat=True).get(name=script)
    given = {
        "source": source, "arguments": arguments or [], "working_directory": working_directory,
        "environment": environment or {}, "timeout_s": timeout_s or SOFT_LIMIT_S,
    }
    return _run(self, SCRIPTS, given)


@shared_task(bind=True, name="myapp.views.celery_views.execute_dynamic_script_task")
def execute_dynamic_script_task(
    self: ReliableTask, template: str = "", version: int | None = None, parameters: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Render a template with validated parameters and run it: the recorded one, else `template` (newest `version`)."""
    given: dict[str, Any] = {"timeout_s": SOFT_LIMIT_S}
    if template:
        versions = TemplateVersion.objects.filter(template__name=template, template__is_active=True)
        chosen = versions.get(number=version) if version else versions.latest("number")
        given |= {
            "template_version": chosen, "source": chosen.source, "name": template,
            "parameters": validated(chosen.parameter_schema, parameters or {}),
        }
    return _run(self, TEMPLATES, given)


@shared_task(bind=True, name="myapp.views.celery_views.clear_old_records")
def clear_old_records(self: ReliableTask, days: int | None = None) -> dict[str, int]:
    """Delete records older than `days`, in batches, and close those that no worker has any more."""
    now = timezone.now()
    before = now - timedelta(days=days if days is not None else environment().keep_days)
    lost = abandoned(now - timedelta(seconds=VISIBILITY_S + 2 * HARD_LIMIT_S))
    deleted = 0
    while ids := list(Execution.objects.filter(created_at__lt=before).values_list("pk", flat=True)[:BATCH]):
        deleted += len(ids)
        Execution.objects.filter(pk__in=ids).delete()
    InvocationStarts.objects.filter(updated_at__lt=before).delete()
    return {"deleted": deleted, "lost": lost}


def _run(task: ReliableTask, queue: str, given: dict[str, Any]) -> dict[str, Any]:
    record = begin(task.request, task.name, queue, given)
    if isinstance(record, Execution):
        return _result(record)  # finished, or cancelled, before this delivery
    try:
        ended = _script(record)
    except SoftTimeLimitExceeded:
        record.finish(Status.TIMED_OUT, error="the task's time limit was reached")
        raise
    except Retry:
        record.finish(Status.RETRYING)
        raise
    except ReliableTask.autoretry_for as error:
        last = (task.request.retries or 0) >= (task.max_retries or 0)
        record.finish(Status.FAILED if last else Status.RETRYING, error=f"{type(error).__name__}: {error}"[:2000])
        raise
    except Exception as error:
        record.finish(Status.FAILED, error=f"{type(error).__name__}: {error}"[:2000])
        raise
    if ended.timed_out:
        record.finish(Status.TIMED_OUT, error=f"not finished after {record.execution.timeout_s} s")
    elif not ended.stopped:
        record.finish(Status.SUCCEEDED if ended.exit_code == 0 else Status.FAILED, exit_code=ended.exit_code, error=_why(ended))
    record.execution.refresh_from_db()
    return _result(record.execution)


def _script(record: Record) -> Ended:
    execution = record.execution
    source = execution.source
    if execution.template_version_id or execution.parameters:
        source = rendered(source, execution.parameters)
    check_source(source)
    with workplace(execution.working_directory) as folder, workplace("") as own:
        path = own / "script.py"
        path.write_text(source, encoding="utf-8")
        env = scrubbed(execution.environment, folder)
        arguments = [str(each) for each in execution.arguments]
        with ScriptProcess(path, arguments, env, folder) as process:
            return process.follow(float(execution.timeout_s or SOFT_LIMIT_S), record.hear)


def _why(ended: Ended) -> str:
    if ended.exit_code is None:
        return "the script's end was not seen"
    return f"killed by signal {-ended.exit_code}" if ended.exit_code < 0 else ""


def _result(execution: Execution) -> dict[str, Any]:
    return {"execution": str(execution.pk), "status": execution.status, "exit_code": execution.exit_code}
