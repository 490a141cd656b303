"""A form made from a template's parameter schema (JSON Schema, type object), one field for each property.

The form only reads what was typed and gives each value its JSON type. Whether the values are valid is decided by the
same validator that the task uses, so that page, API and worker never disagree; its errors are shown at the fields.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _

PREFIX = "p-"  # keeps a parameter called "csrfmiddlewaretoken" or "timeout_s" away from our own fields
LONG_TEXT = 200


class ParameterForm(forms.Form):
    def __init__(
        self, schema: Mapping[str, Any], data: Any = None, *, earlier: Mapping[str, Any] | None = None
    ) -> None:
        """`earlier` has values to begin with instead of the schema's defaults."""
        super().__init__(data)
        earlier = earlier or {}
        needed = set(schema.get("required", ()))
        self.properties: dict[str, Mapping[str, Any]] = dict(schema.get("properties", {}))
        for name, rule in self.properties.items():
            rule = rule if isinstance(rule, Mapping) else {"type": "any"}  # `true` and `false` are schemas too
            start = {**rule, "default": earlier[name]} if name in earlier else rule
            self.fields[PREFIX + name] = field_of(name, start, needed=name in needed)

    def parameters(self) -> dict[str, Any]:
        """What was typed, by parameter; a field left empty is left out, so that the schema's default holds."""
        typed = {name: self.cleaned_data.get(PREFIX + name) for name in self.properties}
        return {name: _value(value) for name, value in typed.items() if value is not None and value != ""}

    def refuse(self, errors: Mapping[str, list[str]]) -> None:
        """Show the validator's errors at the fields that they are about; those about none, at the top."""
        for name, texts in errors.items():
            for text in texts:
                self.add_error(PREFIX + name if name in self.properties else None, text)


def field_of(name: str, rule: Mapping[str, Any], *, needed: bool) -> forms.Field:
    kind = rule.get("type", "string")
    common: dict[str, Any] = {
        "label": str(rule.get("title") or name),
        "help_text": str(rule.get("description", "")),
        "required": needed and "default" not in rule,
        "initial": rule.get("default"),
    }
    if rule.get("enum"):
        # Values stand by their place in the list: an enum may hold 1 and "1", which look the same in HTML.
        options = [(str(place), _shown(value)) for place, value in enumerate(rule["enum"])]
        blank = [] if common["required"] else [("", "–")]
        common["initial"] = _place_of_default(rule)
        values = list(rule["enum"])
        return forms.TypedChoiceField(
            choices=[*blank, *options], coerce=lambda place: _Chosen(values[int(place)]), empty_value=None, **common
        )
    if kind == "boolean":
        return forms.BooleanField(**{**common, "required": False})
    if kind == "integer":
        return forms.IntegerField(min_value=rule.get("minimum"), max_value=rule.get("maximum"), **common)
    if kind == "number":
        return _Number(min_value=rule.get("minimum"), max_value=rule.get("maximum"), **common)
    if kind == "string":
        long = rule.get("maxLength", 0) > LONG_TEXT or rule.get("format") == "multiline"
        widget = forms.Textarea(attrs={"rows": 4}) if long else forms.TextInput()
        return forms.CharField(max_length=rule.get("maxLength"), strip=False, widget=widget, **common)
    common["help_text"] = (common["help_text"] + " " + _("Written as JSON.")).strip()
    return forms.JSONField(widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}), **common)


def _place_of_default(rule: Mapping[str, Any]) -> str | None:
    default = rule.get("default")
    same = (at for at, value in enumerate(rule["enum"]) if type(value) is type(default) and value == default)
    place = next(same, None) if "default" in rule else None
    return None if place is None else str(place)


class _Chosen:
    """One enum value; wrapped because None and "" are possible values and mean 'left empty' everywhere else."""

    def __init__(self, value: Any) -> None:
        self.value = value


class _Number(forms.FloatField):
    def __init__(self, **more: Any) -> None:
        super().__init__(step_size=None, **more)
        self.widget.attrs["step"] = "any"


def _value(typed: Any) -> Any:
    return typed.value if isinstance(typed, _Chosen) else typed


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
