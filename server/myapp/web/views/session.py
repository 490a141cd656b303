"""Coming and going: log in (with its limits), the account's API tokens, and the health check."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.i18n import set_language

from .. import rates
from ..access import person
from ..forms import TokenForm
from ..models import ApiToken

MOST_TOKENS = 20


class Login(auth_views.LoginView):
    """Five wrong passwords for one name from one address in five minutes, thirty for all names; see rates.py."""

    template_name = "myapp/login.html"
    redirect_authenticated_user = False  # would tell other sites who is logged in (see Django's documentation)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Counted before the password is looked at: a count of failures alone can be outrun by parallel requests.
        self.caller = rates.address(request)
        name = hashlib.sha256(request.POST.get("username", "").casefold().encode()).hexdigest()[:16]
        self.caller_and_name = f"{self.caller} {name}"
        rates.spend("login_address", self.caller)
        rates.spend("login", self.caller_and_name)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        rates.forgive("login_address", self.caller)
        rates.forgive("login", self.caller_and_name)
        return super().form_valid(form)


@login_not_required
def admin_login(request: HttpRequest) -> HttpResponse:
    """The admin's own login form would be a second door without limits, so it leads to the first."""
    target = f"{reverse('web:login')}?{request.GET.urlencode()}" if request.GET else reverse("web:login")
    return redirect(target)


@login_not_required
@require_GET
def health(request: HttpRequest) -> HttpResponse:
    """For load balancers: this process answers. Says nothing else, as anybody may ask."""
    return HttpResponse("ok", content_type="text/plain")


# The login page has the switch too, so the anonymous may use it: it sets a cookie and nothing else.
language = login_not_required(set_language)


@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    form, fresh = TokenForm(request.POST or None), None
    tokens = ApiToken.objects.filter(user=person(request))
    if request.method == "POST":
        rates.spend("write", f"user {person(request).pk}")
        if tokens.count() >= MOST_TOKENS:
            form.add_error(None, _("You have %(n)d tokens already; remove one first.") % {"n": MOST_TOKENS})
        elif form.is_valid():
            _token, fresh = ApiToken.issue(person(request), form.cleaned_data["name"])
            form = TokenForm()
    return render(request, "myapp/account.html", {"tokens": tokens, "form": form, "fresh": fresh})


@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(ApiToken, pk=pk, user=person(request)).delete()
    messages.success(request, _("The token is no longer valid."))
    return redirect("web:account")
