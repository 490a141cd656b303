"""The doors of the API: who is it, may he, how often, and every refusal as a problem object."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from .. import rates
from .problem import Problem
from .token import user_of_token

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class _CsrfCheck(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> str:
        return reason


# Both exemptions are from middleware that answers with HTML; `enter` makes the same checks and is answered in JSON.
@method_decorator(login_not_required, name="dispatch")
@method_decorator(csrf_exempt, name="dispatch")
class Door(View):
    """Subclasses write enter(), get() and post(), return anything that json can write, and raise Problem."""

    def enter(self, request: HttpRequest) -> None:
        """Say who it is and count the call; raise Problem for whoever may not come in."""
        raise NotImplementedError

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            self.enter(request)
            method = getattr(self, (request.method or "").lower(), None)
            if request.method not in {"GET", "HEAD", "POST"} or method is None:
                allowed = [name.upper() for name in ("get", "post") if hasattr(self, name)]
                raise Problem(405, f"{request.method} is not possible here.", headers={"Allow": ", ".join(allowed)})
            answer = method(request, *args, **kwargs)
        except Problem as problem:
            return problem.response()
        except rates.TooMany as refused:
            wait_s = str(refused.retry_after_s)
            return Problem(429, f"Wait {wait_s} s, then try again.", headers={"Retry-After": wait_s}).response()
        except PermissionDenied as refused:
            return Problem(403, str(refused) or "You may not do this.").response()
        except Http404:
            return Problem(404, "There is nothing here, or nothing that you may see.").response()
        except RequestDataTooBig:
            return Problem(413, "The request body is too large.").response()
        return answer if isinstance(answer, HttpResponse) else JsonResponse(answer)


class Endpoint(Door):
    """For users: by their session, or by an API token of theirs."""

    user: User

    def enter(self, request: HttpRequest) -> None:
        self.user = request.user = self._who(request)
        rates.spend("api", f"user {self.user.pk}")

    def _who(self, request: HttpRequest) -> User:
        if "Authorization" in request.headers:
            # A token is never sent by a browser on its own, so a request that carries one needs no CSRF token.
            return user_of_token(request)
        if not isinstance(request.user, User) or not request.user.is_active:
            raise Problem(
                401,
                "Sign in, or send an API token: 'Authorization: Bearer <token>'.",
                headers={"WWW-Authenticate": 'Bearer realm="AutoTest"'},
            )
        if request.method not in SAFE:
            check = _CsrfCheck(lambda _: HttpResponse())
            check.process_request(request)
            reason = check.process_view(request, None, (), {})  # type: ignore[arg-type]
            if reason:
                raise Problem(403, f"CSRF check failed: {reason} Send the cookie's value as X-CSRFToken.")
        return request.user


def json_body(request: HttpRequest) -> dict[str, Any]:
    """The body as a JSON object. Only the JSON content type is taken: no HTML form of another site can send that."""
    if request.content_type != "application/json":
        raise Problem(415, "Send JSON, with the header 'Content-Type: application/json'.")
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise Problem(400, f"The body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise Problem(400, "The body must be a JSON object.")
    return body


def whole_number(request: HttpRequest, name: str, *, default: int, least: int = 0, most: int | None = None) -> int:
    """A query parameter; 422 when it is no whole number or out of bounds."""
    text = request.GET.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise Problem(422, f"'{name}' must be a whole number.", errors={name: ["Must be a whole number."]})
    value = int(text)
    if value < least or (most is not None and value > most):
        bounds = f"Must be at least {least}" + (f" and at most {most}." if most is not None else ".")
        raise Problem(422, f"'{name}' is out of bounds.", errors={name: [bounds]})
    return value


class Nothing(Endpoint):
    """Whatever address under /api/ is not one of ours: JSON too, and nothing is told to the anonymous."""

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        raise Http404

    post = get
