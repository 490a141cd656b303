"""Addresses of the API, version 1."""

from __future__ import annotations

from django.urls import path, re_path

from . import executions, figures, templates
from .endpoint import Nothing

urlpatterns = [
    path("v1/templates/", templates.Templates.as_view(), name="api-templates"),
    path("v1/templates/<int:pk>/", templates.Template.as_view(), name="api-template"),
    path("v1/executions/", executions.Executions.as_view(), name="api-executions"),
    path("v1/executions/<uuid:pk>/", executions.OneExecution.as_view(), name="api-execution"),
    path("v1/executions/<uuid:pk>/output/", executions.Output.as_view(), name="api-output"),
    path("v1/executions/<uuid:pk>/cancel/", executions.Cancel.as_view(), name="api-cancel"),
    path("v1/stats/", figures.Stats.as_view(), name="api-stats"),
    re_path(r"^.*$", Nothing.as_view(), name="api-nothing"),
]
