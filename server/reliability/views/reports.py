"""The list of reports, one report, and its files."""

from __future__ import annotations

import gzip
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from assay.errors import UsageError
from assay.reports import words
from myapp.web.access import only

from ..access import listed, may_see_reports, whole
from ..comparing import previous
from ..filters import FilterForm
from ..models import Report
from ..shown import rows

PER_PAGE = 25
# The page has its own script and style inside of it. In a sandbox without allow-same-origin it has no cookies and no
# session of this site, and with nothing to connect to it can neither ask this site for anything nor tell another.
PAGE_POLICY = "; ".join(
    [
        "sandbox allow-scripts",
        "default-src 'none'",
        "script-src 'unsafe-inline'",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "font-src data:",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


@require_safe
@only(may_see_reports)
def every(request: HttpRequest) -> HttpResponse:
    form = FilterForm(request.GET or None)
    query = request.GET.copy()
    query.pop("page", None)
    shown = Paginator(form.narrow(listed()), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "reliability/reports.html",
        {
            "page": shown,
            "before": _before_the_newest(list(shown.object_list)),
            "filter": form,
            "narrowed": bool(query),
            "query": f"{query.urlencode()}&" if query else "",
        },
    )


@require_safe
@only(may_see_reports)
def one(request: HttpRequest, pk: UUID) -> HttpResponse:
    report = whole(pk)
    context = {"report": report, "previous": previous(report), "has_page": _pages().filter(pk=pk).exists()}
    try:
        read = report.read()
    except UsageError as error:
        return render(request, "reliability/report.html", {**context, "refused": str(error)})
    return render(
        request,
        "reliability/report.html",
        {
            **context,
            "read": read,
            "evidence": words.evidence(read),
            "claims": words.broken_claims(read),
            "claims_held": words.claims_held(read),
            "rows": rows(read),
        },
    )


@require_safe
@only(may_see_reports)
def file(request: HttpRequest, pk: UUID) -> HttpResponse:
    """report.json as it was uploaded."""
    return _download(whole(pk).text, "application/json", f"report-{pk}.json")


@require_safe
@only(may_see_reports)
def page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The HTML page that came with a report: whoever has an upload token wrote it, so it is shut in."""
    found = get_object_or_404(_pages().only("page"), pk=pk)
    if found.page is None:
        raise Http404
    content = gzip.decompress(found.page)
    if "download" in request.GET:
        return _download(content, "text/html; charset=utf-8", f"report-{pk}.html")
    headers = {"Content-Security-Policy": PAGE_POLICY}
    return HttpResponse(content, content_type="text/html; charset=utf-8", headers=headers)


def _before_the_newest(reports: list[Report]) -> Report | None:
    """What the newest of a page is most likely to be compared with: a run of its app, of its branch first."""
    same = [each for each in reports[1:] if each.app == reports[0].app]
    return next((each for each in same if each.branch == reports[0].branch), next(iter(same), None))


def _pages() -> QuerySet[Report]:
    return Report.objects.exclude(page=None)


def _download(content: bytes, content_type: str, name: str) -> HttpResponse:
    disposition = f'attachment; filename="{name}"'
    return HttpResponse(content, content_type=content_type, headers={"Content-Disposition": disposition})
