"""Script templates: look at them, and with the permission to, write them. A version never changes once it exists."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ...models import ScriptTemplate
from .. import rates
from ..access import may_see_templates, may_write_templates, only, person
from ..submission import Refused
from ..template_forms import TemplateForm, VersionForm


@require_safe
@only(may_see_templates)
def every(request: HttpRequest) -> HttpResponse:
    context = {
        "templates": ScriptTemplate.objects.prefetch_related("versions").order_by("name"),
        "may_write": may_write_templates(person(request)),
    }
    return render(request, "myapp/templates.html", context)


@require_safe
@only(may_see_templates)
def detail(request: HttpRequest, pk: int, number: int | None = None) -> HttpResponse:
    template = get_object_or_404(ScriptTemplate, pk=pk)
    versions = list(template.versions.select_related("created_by").order_by("-number"))
    version = next((each for each in versions if number in (None, each.number)), None)
    if number is not None and version is None:
        raise Http404
    context = {
        "template": template,
        "versions": versions,
        "version": version,
        "schema": json.dumps(version.parameter_schema, indent=2, ensure_ascii=False) if version else "",
        "is_newest": bool(version) and version == versions[0],
        "may_write": may_write_templates(person(request)),
    }
    return render(request, "myapp/template.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@only(may_write_templates)
def new(request: HttpRequest) -> HttpResponse:
    form = TemplateForm(request.POST or None)
    return _written(request, form, _("New template"), None)


@require_http_methods(["GET", "HEAD", "POST"])
@only(may_write_templates)
def new_version(request: HttpRequest, pk: int) -> HttpResponse:
    template = get_object_or_404(ScriptTemplate, pk=pk)
    form = VersionForm.after(template.newest_version, request.POST or None)
    return _written(request, form, _("New version of %(name)s") % {"name": template.name}, template)


def _written(
    request: HttpRequest, form: TemplateForm | VersionForm, heading: str, template: ScriptTemplate | None
) -> HttpResponse:
    if request.method == "POST":
        rates.spend("write", f"user {person(request).pk}")
        if form.is_valid():
            try:
                saved = form.save(person(request), template)
            except Refused as refused:
                form.refuse(refused)
            else:
                messages.success(request, _("Saved."))
                return redirect("web:template", pk=saved.pk)
    context = {"form": form, "heading": heading, "template": template}
    return render(request, "myapp/template_form.html", context, status=422 if form.errors else 200)
