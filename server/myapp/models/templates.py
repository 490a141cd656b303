"""Scripts that are kept: as they are, or as templates with parameters, in versions that never change."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Script(models.Model):
    """A script that can be run by its name."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    source = models.TextField(_("source"))
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        from myapp.running.rendering import check_source

        check_source(self.source)


class ScriptTemplate(models.Model):
    """A script with parameters. What is run is always one of its versions."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.TextField(_("description"), blank=True)
    is_active = models.BooleanField(_("can be run"), default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def newest_version(self) -> TemplateVersion | None:
        return self.versions.order_by("-number").first()


class TemplateVersion(models.Model):
    """Source and parameter schema as they were when the version was made; an execution refers to what it ran."""

    template = models.ForeignKey(ScriptTemplate, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    source = models.TextField(_("source"))
    parameter_schema = models.JSONField(_("parameters"), default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)

    class Meta:
        ordering = ["template", "-number"]
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="one_version_per_number")]

    def __str__(self) -> str:
        return f"{self.template} v{self.number}"

    def clean(self) -> None:
        from myapp.running.rendering import check_schema, check_source

        check_schema(self.parameter_schema)
        check_source(self.source)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk and TemplateVersion.objects.filter(pk=self.pk).exists():
            raise ValidationError(_("A version never changes; make a new one."))
        super().save(*args, **kwargs)
