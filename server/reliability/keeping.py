"""Keeping what was received: once, and of each app the newest."""

from __future__ import annotations

import gzip
import hashlib

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from assay.reports import words

from .models import Report, UploadToken
from .receiving import Received

STACK, TALLY = (Report._meta.get_field(name).max_length or 0 for name in ("stack", "tally"))


def keep(
    new: Received, token: UploadToken, *, branch: str = "", commit: str = "", page: bytes | None = None
) -> tuple[Report, bool]:
    """The report, and whether it is new: the same report.json again is the same report, and may bring its page."""
    with transaction.atomic():
        report, created = Report.objects.defer("report", "page").get_or_create(
            digest=hashlib.sha256(new.text).hexdigest(),
            defaults={
                "app": new.app,
                "branch": branch,
                "commit": commit,
                "verdict": new.report.verdict.value,
                "stack": words.plain(words.stack(new.report))[:STACK],
                "tally": words.plain(words.tally(new.report))[:TALLY],
                "started_at": new.started_at,
                "duration_s": new.report.duration_s,
                "token": token,
                "report": gzip.compress(new.text, mtime=0),
                "page": _packed(page),
            },
        )
        if page and not created:
            Report.objects.filter(pk=report.pk, page=None).update(page=_packed(page))
        if created:
            prune(new.app)
    return report, created


def prune(app: str) -> int:
    """Delete an app's reports beyond the newest that are to be kept, by when they came; how many were deleted."""
    newest = Report.objects.filter(app=app).order_by("-uploaded_at").values_list("pk", flat=True)
    beyond = list(newest[settings.KEEP_REPORTS :])
    return _delete(Report.objects.filter(pk__in=beyond)) if beyond else 0


def prune_all() -> int:
    """Of every app: after the number to keep was lowered."""
    return sum(prune(app) for app in Report.objects.order_by().values_list("app", flat=True).distinct())


def _delete(reports: QuerySet[Report]) -> int:
    return reports.only("pk").delete()[0]


def _packed(page: bytes | None) -> bytes | None:
    return gzip.compress(page, mtime=0) if page else None
