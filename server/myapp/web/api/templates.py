"""Templates over the API: which there are, and which parameters they take."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from ...models import ScriptTemplate
from ..access import demand, may_see_templates
from ..submission import newest, runnable_templates
from .endpoint import Endpoint


class Templates(Endpoint):
    def get(self, request: HttpRequest) -> dict[str, Any]:
        demand(may_see_templates(self.user))
        return {"templates": [shown(template) for template in runnable_templates().order_by("name")]}


class Template(Endpoint):
    def get(self, request: HttpRequest, pk: int) -> dict[str, Any]:
        demand(may_see_templates(self.user))
        template = get_object_or_404(runnable_templates(), pk=pk)
        return {**shown(template), "source": newest(template).source}


def shown(template: ScriptTemplate) -> dict[str, Any]:
    version = newest(template)
    return {
        "id": template.pk,
        "name": template.name,
        "description": template.description,
        "version": version.number,
        "parameters": version.parameter_schema,
    }
