"""Errors of the API: one JSON shape (RFC 9457) with a status that means what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import JsonResponse

TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Not this content type",
    422: "Invalid values",
    429: "Too many requests",
    503: "Broker not reachable",
}


class Problem(Exception):
    """Raised anywhere below an endpoint; the endpoint answers with it."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Mapping[str, Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.errors, self.headers, self.more = errors, headers or {}, more or {}

    def response(self) -> JsonResponse:
        body: dict[str, Any] = {"type": "about:blank", "title": TITLES[self.status], "status": self.status}
        body["detail"] = self.detail
        if self.errors:
            body["errors"] = {name: list(texts) for name, texts in self.errors.items()}
        body.update(self.more)
        return JsonResponse(
            body, status=self.status, content_type="application/problem+json", headers=dict(self.headers)
        )
