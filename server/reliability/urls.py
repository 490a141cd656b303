"""Addresses of the reliability pages. `LoginRequiredMiddleware` closes all of them; the upload asks for its token."""

from __future__ import annotations

from django.urls import path

from .views import comparisons, reports, upload

app_name = "reliability"

urlpatterns = [
    path("reliability/", reports.every, name="reports"),
    path("reliability/compare/", comparisons.compare, name="compare"),
    path("reliability/trend/", comparisons.trend, name="trend"),
    path("reliability/<uuid:pk>/", reports.one, name="report"),
    path("reliability/<uuid:pk>/report.json", reports.file, name="file"),
    path("reliability/<uuid:pk>/page/", reports.page, name="page"),
    path("api/v1/reports/", upload.Upload.as_view(), name="upload"),
]
