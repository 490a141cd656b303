"""Keeping what was received: once, and of each app the newest."""

from __future__ import annotations

import gzip
import hashlib

from django.conf import settings
from django.db import transaction

from assay.reports import words

from .models import MOST_WORDS, Report, UploadToken
from .receiving import Received


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
                "stack": words.plain(words.stack(new.report))[:MOST_WORDS],
                "tally": words.plain(words.tally(new.report))[:MOST_WORDS],
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
    return Report.objects.filter(pk__in=beyond).only("pk").delete()[0] if beyond else 0


def _packed(page: bytes | None) -> bytes | None:
    return gzip.compress(page, mtime=0) if page else None
