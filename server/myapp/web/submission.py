"""What the web asks of the service behind it: run this, stop that. Page and API go through here and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, QuerySet
from django.http import Http404

from .. import services
from ..models import Execution, ScriptTemplate, Status, TemplateVersion
from ..running.workplace import scrubbed


class Refused(Exception):
    """The values are not valid; `errors` has the texts by the name of the value, "" for the whole."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__("; ".join(text for texts in errors.values() for text in texts))
        self.errors = errors


def runnable_templates() -> QuerySet[ScriptTemplate]:
    return ScriptTemplate.objects.filter(is_active=True, versions__isnull=False).distinct()


def newest(template: ScriptTemplate) -> TemplateVersion:
    """What a run of this template runs; 404 where it has no version."""
    version = template.newest_version
    if version is None:
        raise Http404
    return version


def run_script(user: User, **asked: Any) -> Execution:
    try:
        # The worker refuses some variables; told now, it is an error at a field and not an execution that failed.
        scrubbed(asked.get("environment") or {}, Path("/"))
        return services.submit_script(user, **asked)
    except ValidationError as error:
        raise Refused(by_name(error)) from error


def run_template(user: User, version: TemplateVersion, parameters: dict[str, Any]) -> Execution:
    try:
        return services.submit_template(user, version, parameters)
    except ValidationError as error:
        raise Refused(by_name(error)) from error


def stop(execution: Execution, user: User) -> None:
    services.cancel(execution, user)


def was_not_queued(execution: Execution) -> bool:
    return execution.status == Status.PUBLISH_FAILED


def by_name(error: ValidationError) -> dict[str, list[str]]:
    return dict(error.message_dict) if hasattr(error, "error_dict") else {"": list(error.messages)}


def new_template(user: User, name: str, description: str, source: str, schema: dict[str, Any]) -> ScriptTemplate:
    try:
        with transaction.atomic():
            template = ScriptTemplate(name=name, description=description)
            template.full_clean()
            template.save()
            new_version(user, template, source, schema)
    except ValidationError as error:
        raise Refused(by_name(error)) from error
    return template


def new_version(user: User, template: ScriptTemplate, source: str, schema: dict[str, Any]) -> TemplateVersion:
    """The next version; two people who save at once get two numbers, as the template's row is locked meanwhile."""
    with transaction.atomic():
        ScriptTemplate.objects.select_for_update().get(pk=template.pk)
        newest = template.versions.aggregate(newest=Max("number"))["newest"] or 0
        version = TemplateVersion(
            template=template, number=newest + 1, source=source, parameter_schema=schema, created_by=user
        )
        try:
            version.full_clean()
        except ValidationError as error:
            raise Refused(by_name(error)) from error
        version.save()
    return version
