"""Coming in with an API token."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone

from .. import rates
from ..models import ApiToken
from .problem import Problem

# Writing the time of each use would be a database write for each poll of a program.
LAST_USED_PRECISION = timedelta(minutes=1)


def user_of_token(request: HttpRequest) -> User:
    """The token's user; 401 when the token is unknown, or its user was deactivated."""
    scheme, _, text = request.headers["Authorization"].partition(" ")
    token = None
    if scheme.lower() == "bearer":
        token = ApiToken.objects.select_related("user").filter(digest=ApiToken.digest_of(text.strip())).first()
    if token is None or not token.user.is_active:
        rates.spend("login_address", rates.address(request))
        raise Problem(401, "This token is not valid.", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > LAST_USED_PRECISION:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    user: User = token.user
    return user
