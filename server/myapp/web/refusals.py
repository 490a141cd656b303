"""How pages refuse: too many requests, and a session that ended while a page was polling."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django_htmx.middleware import HtmxDetails

from .rates import TooMany


class Refusals:
    """Goes after HtmxMiddleware and before LoginRequiredMiddleware, whose redirects it must see."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        htmx: HtmxDetails | None = getattr(request, "htmx", None)
        login = resolve_url(settings.LOGIN_URL)
        if htmx and response.status_code == 302 and response["Location"].startswith(login):
            # The browser would follow a redirect by itself and put the login form where the output was.
            there = urlencode({"next": htmx.current_url_abs_path or "/"})
            return HttpResponse(status=401, headers={"HX-Redirect": f"{login}?{there}"})
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, TooMany):
            return None
        response = render(request, "429.html", {"retry_after_s": exception.retry_after_s}, status=429)
        response["Retry-After"] = str(exception.retry_after_s)
        return response
