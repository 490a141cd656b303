"""What to call an execution in a list."""

from __future__ import annotations

from django.utils.translation import gettext as _

from ..models import Execution

LONGEST = 70


def execution_title(execution: Execution) -> str:
    """Its name, its template's, or the first line of its script that says something."""
    if execution.name:
        return execution.name
    for line in execution.source.splitlines():
        text = line.strip().lstrip("#!").strip().strip("\"'")
        if text and not text.startswith(("/usr/bin/env", "-*-", "import ", "from ")):
            return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return _("Script %(id)s") % {"id": str(execution.pk)[:8]}
