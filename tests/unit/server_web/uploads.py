"""CI that uploads reports."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from assay.report import Report
from assay.reports import json
from reliability.models import UploadToken

UPLOAD = "/api/v1/reports/"


class Ci:
    """A CI job with a token of its own."""

    def __init__(self, app: str = "") -> None:
        self.token = UploadToken(name="CI", app=app)
        self.text = self.token.renew()

    def upload(self, report: Report | bytes, *, page: bytes | None = None, text: str | None = None, **fields: str):
        """POST a form as curl does; `text` is sent in place of the token's own."""
        content = json.render(report).encode() if isinstance(report, Report) else report
        form: dict[str, Any] = {"report": SimpleUploadedFile("report.json", content), **fields}
        if page is not None:
            form["page"] = SimpleUploadedFile("../../../tmp/page.html", page)
        return Client().post(UPLOAD, form, headers={"Authorization": f"Bearer {self.text if text is None else text}"})
