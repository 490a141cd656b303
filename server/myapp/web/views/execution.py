"""One execution: its page, what the page asks for while the script runs, its whole output, and its cancellation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from .. import rates
from ..access import demand, may_cancel, may_run, may_see_templates, person, seen_by
from ..live import Sight
from ..screen import readable
from ..submission import stop

POLL_EVERY_MS = 1000


def _context(request: HttpRequest, sight: Sight) -> dict[str, Any]:
    return {
        "execution": sight.execution,
        "attempts": sight.attempts,
        "piece": sight.piece,
        "finished": sight.at_end,
        "restarted": sight.restarted,
        "seen": sight.mark,
        "reason": sight.execution.error,
        "elapsed_s": sight.elapsed_s,
        "may_see_templates": may_see_templates(person(request)),
        "may_cancel": not sight.finished and may_cancel(person(request), sight.execution),
        "poll_every_ms": POLL_EVERY_MS,
    }


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 13 else None


@require_safe
def detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    sight = Sight.of(seen_by(person(request), pk), offset=0)
    context = {**_context(request, sight), "source": sight.execution.source}
    if may_run(person(request)):
        version = sight.execution.template_version
        run_script = reverse("web:run-script")
        context["again"] = reverse("web:run-template", args=[version.template_id]) if version else run_script
    return render(request, "myapp/execution.html", context)


@require_safe
def live(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The output from `offset` on, and what changed since the state that the page has `seen`; for htmx."""
    offset, attempt = _number(request, "offset"), _number(request, "attempt")
    sight = Sight.of(seen_by(person(request), pk), offset=offset or 0, attempt=attempt)
    changed = sight.mark != request.GET.get("seen")
    return render(request, "myapp/_live.html", {**_context(request, sight), "changed": changed})


@require_safe
def output(request: HttpRequest, pk: UUID) -> HttpResponse:
    """All output as plain text; nosniff and the content type keep a browser from running what a script printed."""
    return HttpResponse(readable(seen_by(person(request), pk).output), content_type="text/plain; charset=utf-8")


@require_POST
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    execution = seen_by(person(request), pk)
    demand(may_cancel(person(request), execution))
    rates.spend("cancel", f"user {person(request).pk}")
    if execution.finished:
        messages.info(request, _("It had already ended."))
    else:
        stop(execution, person(request))
        messages.success(request, _("Cancelled."))
    return redirect("web:execution", pk=pk)
