"""Who may look at reports: staff, and users with the permission to view them."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from myapp.web.access import Caller

from .models import Report

SEE = "reliability.view_report"


def may_see_reports(user: Caller) -> bool:
    return user.is_staff or user.has_perm(SEE)


def listed() -> QuerySet[Report]:
    """All reports, the newest first, without what they say: megabytes each."""
    return Report.objects.defer("report", "page").order_by("-started_at", "-uploaded_at")


def whole(pk: UUID) -> Report:
    """One report with what it says, but without its page; 404 where there is none."""
    return get_object_or_404(Report.objects.defer("page").select_related("token"), pk=pk)
