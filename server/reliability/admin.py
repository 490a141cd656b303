"""The admin: upload tokens are made and revoked here, reports only looked at and deleted."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from myapp.admin import ReadOnly

from .models import Report, UploadToken


@admin.register(UploadToken)
class UploadTokenAdmin(admin.ModelAdmin):
    list_display = ("name", "key", "app", "created_at", "last_used_at", "revoked_at")
    fields = ("name", "app")
    actions = ["revoke"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Listing and revoking need it; a token that is there is never edited, or it would upload for another app.
        return obj is None and super().has_change_permission(request)

    def save_model(self, request: HttpRequest, obj: UploadToken, form: Any, change: bool) -> None:
        obj.fresh = obj.renew()  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: UploadToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The token itself, this once, in this answer: a message would carry it through a cookie."""
        context = {**self.admin_site.each_context(request), "token": obj, "fresh": obj.fresh, "opts": self.opts}  # type: ignore[attr-defined]
        return TemplateResponse(request, "reliability/token_made.html", context)

    @admin.action(description=_("Revoke the chosen tokens"), permissions=["change"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[UploadToken]) -> None:
        number = chosen.filter(revoked_at=None).update(revoked_at=timezone.now())
        self.message_user(request, _("Revoked: %(n)d") % {"n": number})


@admin.register(Report)
class ReportAdmin(ReadOnly):
    list_display = ("app", "branch", "commit", "verdict", "started_at", "uploaded_at", "token")
    list_filter = ("verdict", "app")
    list_select_related = ("token",)
    fields = (
        "app",
        "branch",
        "commit",
        "verdict",
        "stack",
        "tally",
        "started_at",
        "duration_s",
        "token",
        "uploaded_at",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        return super().get_queryset(request).defer("report", "page")
