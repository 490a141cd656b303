"""What ran before: filters and pages."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ..access import person, sees_all, visible_to
from ..filters import FilterForm

PER_PAGE = 25


@require_safe
def history(request: HttpRequest) -> HttpResponse:
    form = FilterForm(request.GET or None, everybody=sees_all(person(request)))
    executions = form.narrow(visible_to(person(request)).select_related("created_by"))
    query = request.GET.copy()
    query.pop("page", None)
    return render(
        request,
        "myapp/history.html",
        {
            # get_page takes any number: a link to page 9 of what has shrunk to 3 pages shows the last one.
            "page": Paginator(executions, PER_PAGE).get_page(request.GET.get("page")),
            "filter": form,
            "narrowed": bool(query),
            "query": f"{query.urlencode()}&" if query else "",
        },
    )
