"""Where CI uploads: a report.json as the body, or a form with it, its branch and commit, and its HTML page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.urls import reverse
from django.utils import timezone

from assay.errors import UsageError
from myapp.web import rates
from myapp.web.api.endpoint import Door
from myapp.web.api.problem import Problem

from ..keeping import keep
from ..models import MOST_NAME, Report, UploadToken
from ..receiving import line, page, received

LAST_USED_PRECISION = timedelta(minutes=1)
FORM_BYTES = 64 * 1024  # of a form, beside its two files
COMMIT = 64


class Upload(Door):
    """POST only; 201 for a new report, 200 for one that is here already, and both with its address."""

    token: UploadToken

    def enter(self, request: HttpRequest) -> None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        found = UploadToken.of(text.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            rates.spend("login_address", rates.address(request))
            raise Problem(
                401,
                "Send an upload token that was not revoked: 'Authorization: Bearer autotest_ci_...'.",
                headers={"WWW-Authenticate": 'Bearer realm="AutoTest"'},
            )
        rates.spend("upload", f"token {found.pk}")
        self.token = found

    def post(self, request: HttpRequest) -> JsonResponse:
        text, html = _files(request)
        fields = request.POST or request.GET
        try:
            branch = line(fields.get("branch", ""), "branch", MOST_NAME)
            commit = line(fields.get("commit", ""), "commit", COMMIT)
            new = received(text)
            html = page(html) if html else None
        except UsageError as error:
            raise Problem(400, str(error)) from None
        if self.token.app not in ("", new.app):
            raise Problem(403, f"This token uploads reports of {self.token.app}, and this one is of {new.app}.")
        report, created = keep(new, self.token, branch=branch, commit=commit, page=html)
        _used(self.token)
        return JsonResponse(_answer(request, report, created), status=201 if created else 200)


def _files(request: HttpRequest) -> tuple[bytes, bytes | None]:
    """report.json, and the page where there is one. The size is looked at before anything is read."""
    most, length = settings.REPORT_BYTES, _length(request)
    if request.content_type == "application/json":
        if length > most:
            raise _too_large("report.json")
        return request.read(most), None
    if request.content_type != "multipart/form-data":
        raise Problem(415, "Send report.json as application/json, or as the file 'report' of a multipart form.")
    if length > 2 * most + FORM_BYTES:
        raise _too_large("report.json and its page each")
    try:
        files = request.FILES
    except RequestDataTooBig:
        raise
    except (MultiPartParserError, SuspiciousOperation) as error:
        raise Problem(400, f"The form cannot be read: {error}") from None
    text, html = _content(files.get("report"), "report.json"), _content(files.get("page"), "the page")
    if text is None:
        raise Problem(400, "The form has no file 'report': send -F report=@report.json")
    return text, html


def _length(request: HttpRequest) -> int:
    """As it was announced; whatever follows after that is never read."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        raise Problem(400, "Content-Length is no number.") from None


def _content(file: Any, what: str) -> bytes | None:
    if not isinstance(file, UploadedFile):
        return None
    if (file.size or 0) > settings.REPORT_BYTES:
        raise _too_large(what)
    content: bytes = file.read()
    return content


def _too_large(what: str) -> Problem:
    return Problem(413, f"Too large: {what} may have {settings.REPORT_BYTES / 2**20:g} MiB at most (REPORT_MIB).")


def _used(token: UploadToken) -> None:
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > LAST_USED_PRECISION:
        UploadToken.objects.filter(pk=token.pk).update(last_used_at=now)


def _answer(request: HttpRequest, report: Report, created: bool) -> dict[str, Any]:
    return {
        "id": str(report.pk),
        "url": request.build_absolute_uri(reverse("reliability:report", args=[report.pk])),
        "app": report.app,
        "verdict": report.verdict,
        "created": created,
    }
