"""Who may do what. Every view asks here, so that "who can run code?" has one answer in one file."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from ..models import Execution

Caller = User | AnonymousUser
P = ParamSpec("P")

RUN = "myapp.run_scripts"
SEE_ALL = "myapp.view_execution"
CANCEL_ANY = "myapp.change_execution"
SEE_TEMPLATES = "myapp.view_scripttemplate"
# What is written into a template is run by others, so writing one needs the right to run as well.
WRITE_TEMPLATES = ("myapp.run_scripts", "myapp.add_templateversion")


def person(request: HttpRequest) -> User:
    """Who is logged in. LoginRequiredMiddleware lets nobody else through to a page."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def may_run(user: Caller) -> bool:
    return user.has_perm(RUN)


def may_see_templates(user: Caller) -> bool:
    return user.has_perm(RUN) or user.has_perm(SEE_TEMPLATES)


def may_write_templates(user: Caller) -> bool:
    return user.has_perms(WRITE_TEMPLATES)


def sees_all(user: Caller) -> bool:
    return user.is_staff or user.has_perm(SEE_ALL)


def visible_to(user: Caller) -> QuerySet[Execution]:
    """The executions that a user may know of, newest first."""
    every = Execution.objects.all() if sees_all(user) else Execution.objects.filter(created_by_id=user.pk)
    return every.order_by("-created_at")


def seen_by(user: Caller, pk: UUID) -> Execution:
    """One execution, or 404: somebody else's must look the same as one that does not exist."""
    return get_object_or_404(visible_to(user).select_related("created_by"), pk=pk)


def may_cancel(user: Caller, execution: Execution) -> bool:
    """One's own, or anybody's with the permission to change executions; seeing one does not allow stopping it."""
    return (execution.created_by_id == user.pk and may_run(user)) or user.has_perm(CANCEL_ANY)


def demand(allowed: bool) -> None:
    if not allowed:
        raise PermissionDenied(_("Your account lacks the permission for this."))


View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def only(rule: Callable[[Caller], bool]) -> Callable[[View[P]], View[P]]:
    """A view for users for whom `rule` holds; all others get 403 before anything else happens."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            demand(rule(request.user))
            return view(request, *args, **kwargs)

        return guarded

    return decorate
