"""What people type: a script with its options, a template, a filter, a token's name."""

from __future__ import annotations

import re
import shlex
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from celery_app.configuration import SOFT_LIMIT_S

from ..models import Execution

MOST_SOURCE_CHARACTERS = 200_000
CODE = {"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off", "wrap": "off"}
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class CodeField(forms.CharField):
    def __init__(self, *, rows: int = 16, **more: Any) -> None:
        more.setdefault("max_length", MOST_SOURCE_CHARACTERS)
        super().__init__(strip=False, widget=forms.Textarea(attrs={"rows": rows, **CODE}), **more)

    def to_python(self, value: Any) -> str:
        # Browsers send CRLF; Python reads it, but a checksum or a heredoc in the script would not match.
        return (super().to_python(value) or "").replace("\r\n", "\n")


class WordsField(forms.CharField):
    """Arguments as a shell would read them; nothing is ever given to a shell."""

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        try:
            return shlex.split(super().to_python(value) or "")
        except ValueError:
            raise forms.ValidationError(_("A quotation mark is not closed.")) from None

    def run_validators(self, value: Any) -> None:
        pass


class VariablesField(forms.CharField):
    def __init__(self, **more: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 3, **CODE, "placeholder": "NAME=value"}), **more)

    def to_python(self, value: Any) -> dict[str, str]:  # type: ignore[override]
        found: dict[str, str] = {}
        for line in (super().to_python(value) or "").splitlines():
            if not line.strip():
                continue
            name, equals, text = line.strip().partition("=")
            if not equals or not VARIABLE.match(name):
                raise forms.ValidationError(_("Not of the form NAME=value: %(line)s"), params={"line": line[:60]})
            found[name] = text
        return found

    def run_validators(self, value: Any) -> None:
        pass


class TokenForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("What the token is for."))


class ScriptForm(forms.Form):
    source = CodeField(label=_("Python script"), rows=18)
    arguments = WordsField(
        label=_("Arguments"), required=False, max_length=4000, help_text=_('As in a shell: first "second one"')
    )
    timeout_s = forms.IntegerField(
        label=_("Time limit in seconds"),
        required=False,
        min_value=1,
        max_value=SOFT_LIMIT_S,
        help_text=format_lazy(_("At most {s}."), s=SOFT_LIMIT_S),
    )
    environment = VariablesField(label=_("Environment"), required=False, max_length=8000)
    working_directory = forms.CharField(
        label=_("Working directory"), required=False, max_length=200, help_text=_("Empty: a new, empty one.")
    )

    @staticmethod
    def initial_of(execution: Execution | None) -> dict[str, Any]:
        """What to type to run an earlier execution again."""
        if execution is None:
            return {}
        return {
            "source": execution.source,
            "arguments": shlex.join(execution.arguments),
            "timeout_s": execution.timeout_s,
            "environment": "\n".join(f"{name}={value}" for name, value in execution.environment.items()),
            "working_directory": execution.working_directory,
        }
