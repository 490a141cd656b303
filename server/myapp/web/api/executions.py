"""Executions over the API: list, run, look, read the output, cancel."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from ...models import Execution
from .. import rates
from ..access import demand, may_cancel, may_run, seen_by, sees_all, visible_to
from ..filters import FilterForm
from ..forms import MOST_SOURCE_CHARACTERS
from ..live import Sight
from ..submission import Refused, newest, run_script, run_template, runnable_templates, stop, was_not_queued
from .endpoint import Endpoint, json_body, whole_number
from .problem import Problem

MOST_PER_PAGE = 100
OF_SCRIPT: dict[str, type] = {
    "source": str,
    "arguments": list,
    "environment": dict,
    "working_directory": str,
    "timeout_s": int,
}
OF_TEMPLATE: dict[str, type] = {"template": int, "parameters": dict}
JSON_NAMES = {str: "string", list: "array", dict: "object", int: "whole number"}


class Executions(Endpoint):
    def get(self, request: HttpRequest) -> dict[str, Any]:
        form = FilterForm(request.GET, everybody=sees_all(self.user))
        executions = form.narrow(visible_to(self.user))
        if form.errors:
            errors = {name: [str(text) for text in texts] for name, texts in form.errors.items()}
            raise Problem(422, "A filter is not valid.", errors=errors)
        per_page = whole_number(request, "per_page", default=25, least=1, most=MOST_PER_PAGE)
        page = Paginator(executions, per_page).get_page(whole_number(request, "page", default=1, least=1))
        return {
            "count": page.paginator.count,
            "page": page.number,
            "pages": page.paginator.num_pages,
            "executions": [shown(execution) for execution in page.object_list],
        }

    def post(self, request: HttpRequest) -> HttpResponse:
        demand(may_run(self.user))
        rates.spend("run", f"user {self.user.pk}")
        body = json_body(request)
        try:
            execution = self._run(body)
        except Refused as refused:
            raise Problem(422, "The execution cannot be run with these values.", errors=refused.errors) from None
        if was_not_queued(execution):
            raise Problem(
                503,
                "The broker cannot be reached, so this was not queued. It is recorded; send it again later.",
                more={"execution": shown(execution)},
                headers={"Retry-After": "30"},
            )
        return JsonResponse(shown(execution), status=201, headers={"Location": shown(execution)["url"]})

    def _run(self, body: dict[str, Any]) -> Execution:
        if ("template" in body) == ("source" in body):
            raise Problem(422, "Send either 'source' or 'template'.")
        expect(body, OF_TEMPLATE if "template" in body else OF_SCRIPT)
        if "template" not in body:
            return run_script(self.user, **body)
        template = get_object_or_404(runnable_templates(), pk=body["template"])
        return run_template(self.user, newest(template), body.get("parameters", {}))


class OneExecution(Endpoint):
    def get(self, request: HttpRequest, pk: UUID) -> dict[str, Any]:
        sight = Sight.of(seen_by(self.user, pk), offset=0)
        return {**shown(sight.execution), "attempts": [attempt_shown(attempt) for attempt in sight.attempts]}


class Output(Endpoint):
    def get(self, request: HttpRequest, pk: UUID) -> dict[str, Any]:
        """Readable output from `offset` on; ask again with `next_offset` and `attempt` until `complete`.

        When another attempt has begun meanwhile, its output is sent from its start, and `restarted` is true.
        """
        execution = seen_by(self.user, pk)
        attempt = whole_number(request, "attempt", default=execution.current_attempt)
        sight = Sight.of(execution, offset=whole_number(request, "offset", default=0), attempt=attempt)
        return {
            "text": sight.piece.text,
            "next_offset": sight.piece.next_offset,
            "attempt": execution.current_attempt,
            "restarted": sight.restarted,
            "complete": sight.at_end,
            "truncated": execution.output_truncated,
        }


class Cancel(Endpoint):
    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        execution = seen_by(self.user, pk)
        demand(may_cancel(self.user, execution))
        rates.spend("cancel", f"user {self.user.pk}")
        if execution.finished:
            raise Problem(409, f"This execution has ended already: {execution.status}.")
        stop(execution, self.user)
        execution.refresh_from_db()
        return JsonResponse(shown(execution), status=202)


def inside(body: dict[str, Any]) -> dict[str, list[str]]:
    """What is wrong inside of values whose types are right."""
    errors: dict[str, list[str]] = {}
    if len(body.get("source", "")) > MOST_SOURCE_CHARACTERS:
        errors["source"] = [f"Must have at most {MOST_SOURCE_CHARACTERS} characters."]
    if not all(isinstance(each, str) for each in body.get("arguments", [])):
        errors["arguments"] = ["Every argument must be a string."]
    if not all(isinstance(each, str) for each in body.get("environment", {}).values()):
        errors["environment"] = ["Every value must be a string."]
    return errors


def expect(body: dict[str, Any], types: dict[str, type]) -> None:
    """422 unless `body` has only these keys, with values of these types."""
    errors: dict[str, list[str]] = {}
    for name, value in body.items():
        if name not in types:
            errors[name] = ["Unknown; known are " + ", ".join(sorted(types)) + "."]
        elif not isinstance(value, types[name]) or isinstance(value, bool):
            errors[name] = [f"Must be a JSON {JSON_NAMES[types[name]]}."]
    if not errors:
        errors = inside(body)
    if errors:
        raise Problem(422, "The request has invalid values.", errors=errors)


def shown(execution: Execution) -> dict[str, Any]:
    return {
        "id": str(execution.pk),
        "url": reverse("web:api-execution", args=[execution.pk]),
        "task": execution.task,
        "queue": execution.queue,
        "status": execution.status,
        "created_at": execution.created_at,
        "started_at": execution.started_at,
        "finished_at": execution.finished_at,
        "duration_s": execution.duration_s,
        "exit_code": execution.exit_code,
        "error": execution.error,
    }


def attempt_shown(attempt: Any) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "status": attempt.status,
        "worker": attempt.worker,
        "started_at": attempt.started_at,
        "finished_at": attempt.finished_at,
    }
