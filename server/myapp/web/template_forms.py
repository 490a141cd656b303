"""Writing a template: its name, and its first or next version."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from ..models import ScriptTemplate, TemplateVersion
from .forms import CodeField
from .submission import Refused, new_template, new_version

NO_PARAMETERS = {"type": "object", "properties": {}, "additionalProperties": False}


class PrettyJson(json.JSONEncoder):
    def __init__(self, **more: Any) -> None:
        super().__init__(**{**more, "indent": 2, "ensure_ascii": False})


class VersionForm(forms.Form):
    source = CodeField(label=_("Script"), help_text=_('A parameter is read as PARAMETERS["name"].'))
    parameter_schema = forms.JSONField(
        label=_("Parameters (JSON Schema)"),
        encoder=PrettyJson,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "wrap": "off"}),
        initial=NO_PARAMETERS,
    )

    @classmethod
    def after(cls, version: TemplateVersion | None, data: Any) -> VersionForm:
        if version is None:
            return cls(data)
        return cls(data, initial={"source": version.source, "parameter_schema": version.parameter_schema})

    def save(self, user: User, template: ScriptTemplate | None) -> ScriptTemplate:
        assert template is not None
        new_version(user, template, self.cleaned_data["source"], self.cleaned_data["parameter_schema"])
        return template

    def refuse(self, refused: Refused) -> None:
        for name, texts in refused.errors.items():
            self.add_error(name if name in self.fields else None, texts)


class TemplateForm(VersionForm):
    name = forms.CharField(label=_("Name"), max_length=100)
    description = forms.CharField(
        label=_("Description"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
    field_order = ("name", "description", "source", "parameter_schema")

    def save(self, user: User, template: ScriptTemplate | None = None) -> ScriptTemplate:
        asked = self.cleaned_data
        return new_template(user, asked["name"], asked["description"], asked["source"], asked["parameter_schema"])
