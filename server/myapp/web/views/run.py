"""The page's ways to run code. Each one needs login, `myapp.run_scripts`, the CSRF token, and a place in the limit."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ...models import Execution
from .. import rates
from ..access import may_run, only, person, visible_to
from ..forms import ScriptForm
from ..schema_form import ParameterForm
from ..submission import Refused, newest, run_script, run_template, runnable_templates, was_not_queued


@require_safe
@only(may_run)
def choose(request: HttpRequest) -> HttpResponse:
    return render(request, "myapp/run.html", {"templates": runnable_templates().order_by("name")})


@require_http_methods(["GET", "HEAD", "POST"])
@only(may_run)
def script(request: HttpRequest) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    form = ScriptForm(data, initial=ScriptForm.initial_of(earlier(request)))
    if request.method == "POST":
        rates.spend("run", f"user {person(request).pk}")
        if form.is_valid():
            try:
                return _go_to(request, run_script(person(request), **form.cleaned_data))
            except Refused as refused:
                for name, texts in refused.errors.items():
                    form.add_error(name if name in form.fields else None, texts)
    return render(request, "myapp/run_script.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@only(may_run)
def template(request: HttpRequest, pk: int) -> HttpResponse:
    chosen = get_object_or_404(runnable_templates(), pk=pk)
    version = newest(chosen)
    data = request.POST if request.method == "POST" else None
    form = ParameterForm(version.parameter_schema, data, earlier=getattr(earlier(request), "parameters", {}))
    if request.method == "POST":
        rates.spend("run", f"user {person(request).pk}")
        if form.is_valid():
            try:
                return _go_to(request, run_template(person(request), version, form.parameters()))
            except Refused as refused:
                form.refuse(refused.errors)
    context = {"template": chosen, "version": version, "form": form}
    return render(request, "myapp/run_template.html", context, status=422 if form.errors else 200)


def earlier(request: HttpRequest) -> Execution | None:
    """The execution to run again, `?from=`; None when there is none that this user may see."""
    try:
        return visible_to(person(request)).filter(pk=UUID(request.GET.get("from", ""))).first()
    except ValueError:
        return None


def _go_to(request: HttpRequest, execution: Execution) -> HttpResponse:
    if was_not_queued(execution):
        # It is on record with everything that was typed; "Run again" on its page brings it back.
        messages.error(
            request,
            _("The broker cannot be reached, so the script was not queued. It is recorded here; run it again later."),
        )
    return redirect("web:execution", pk=execution.pk)
