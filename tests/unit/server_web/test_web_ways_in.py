"""Running scripts is remote code execution by design. These tests try to get in without the right to."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

OPEN = {"login/", "health/", "language/", "admin/login/"}
STAND_INS = {"int": "1", "uuid": str(uuid.UUID(int=7)), "str": "x", "path": "x", "slug": "x"}

pytestmark = pytest.mark.django_db


def every_address(patterns=None, before=""):
    """Every address of the whole site, admin included, with something in place of its parameters."""
    for each in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from every_address(each.url_patterns, route)
        elif isinstance(each, URLPattern):
            yield filled(route)


def filled(route):
    import re

    route = re.sub(r"<(?:(\w+):)?\w+>", lambda found: STAND_INS[found[1] or "str"], route)
    route = route.replace("^.*$", "anything").replace("(?P<app_label>auth|myapp|web)/$", "auth/")
    return re.sub(r"\(\?P<url>\.\*\)\$|\(\?P<app_label>[^)]*\)/\$|[\^$]", "x", route)


ADDRESSES = sorted(set(every_address()))


def test_the_list_of_addresses_is_not_empty():
    assert "run/script/" in ADDRESSES
    assert "api/v1/executions/" in ADDRESSES
    assert len(ADDRESSES) > 25


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "head", "options"])
@pytest.mark.parametrize("address", [each for each in ADDRESSES if each not in OPEN])
def test_the_anonymous_get_nowhere(client: Client, address, method):
    response = getattr(client, method)("/" + address)
    if address.startswith("api/"):
        assert response.status_code == 401
        assert response["Content-Type"] == "application/problem+json"
    else:
        assert response.status_code == 302, f"{method} {address}: {response.status_code}"
        assert "/login/?next=" in response["Location"]


def test_health_says_nothing_but_ok(client: Client):
    assert client.get(reverse("web:health")).content == b"ok"


def test_the_admins_own_login_form_is_closed_and_leads_to_the_one_with_limits(client: Client):
    response = client.get("/admin/login/?next=/admin/")
    assert response.status_code == 302
    assert response["Location"] == "/login/?next=%2Fadmin%2F"
    assert client.post("/admin/login/", {"username": "root", "password": "x"}).status_code == 302


WAYS_TO_RUN_ON_THE_PAGE = ["/run/", "/run/script/", "/run/templates/{template}/"]
WAYS_TO_RUN_OVER_THE_API = [{"source": "print(1)"}, {"template": 1}]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("address", WAYS_TO_RUN_ON_THE_PAGE)
def test_login_without_the_permission_cannot_run_on_the_page(visitor, template, submitted, address, method):
    address = address.format(template=template.pk)
    response = getattr(visitor, method)(address, {"source": "print(1)", "p-service": "x"})
    assert response.status_code == (405 if (address, method) == ("/run/", "post") else 403)
    assert submitted == []


@pytest.mark.parametrize("body", WAYS_TO_RUN_OVER_THE_API)
def test_login_without_the_permission_cannot_run_over_the_api(visitor, submitted, body):
    response = visitor.post("/api/v1/executions/", body, content_type="application/json")
    assert response.status_code == 403
    assert submitted == []


@pytest.mark.parametrize("flags", [{"is_staff": True}, {"is_active": False}])
def test_staff_without_the_permission_and_the_deactivated_cannot_run(make_client, submitted, flags):
    client, _user = make_client("someone", **flags)
    assert client.post("/run/script/", {"source": "print(1)"}).status_code in (302, 403)
    assert client.post("/api/v1/executions/", {"source": "1"}, content_type="application/json").status_code in (
        401,
        403,
    )
    assert submitted == []


@pytest.mark.parametrize("address", ["/templates/new/", "/templates/{template}/versions/new/"])
def test_the_right_to_run_is_not_the_right_to_write_templates(runner, template, address):
    response = runner.post(address.format(template=template.pk), {"name": "n", "source": "s", "parameter_schema": "{}"})
    assert response.status_code == 403


def test_the_right_to_write_templates_needs_the_right_to_run(make_client):
    client, _user = make_client("writer", "add_templateversion", "add_scripttemplate")
    assert client.get("/templates/new/").status_code == 403


def test_templates_are_closed_to_those_who_may_not_run_them(visitor, template):
    for address in ("/templates/", f"/templates/{template.pk}/", f"/templates/{template.pk}/versions/1/"):
        assert visitor.get(address).status_code == 403
    assert visitor.get("/api/v1/templates/").status_code == 403
    assert visitor.get(f"/api/v1/templates/{template.pk}/").status_code == 403


CHANGING = [
    ("/run/script/", {"source": "print(1)"}),
    ("/run/templates/{template}/", {"p-service": "x"}),
    ("/executions/{execution}/cancel/", {}),
    ("/templates/new/", {"name": "n"}),
    ("/templates/{template}/versions/new/", {"source": "s"}),
    ("/account/", {"name": "n"}),
    ("/account/tokens/1/revoke/", {}),
    ("/logout/", {}),
    ("/login/", {"username": "u", "password": "p"}),
    ("/language/", {"language": "en"}),
]


@pytest.mark.parametrize(("address", "data"), CHANGING)
def test_another_site_cannot_make_a_browser_do_it(make_client, make_execution, template, submitted, address, data):
    # given somebody who may do everything, whose browser sends the cookies along
    client, user = make_client("root", is_superuser=True, enforce_csrf_checks=True)
    execution = make_execution(user)
    # when a form is sent without the token
    response = client.post(address.format(template=template.pk, execution=execution.pk), data)
    # then it is refused, and nothing happened
    assert response.status_code == 403
    execution.refresh_from_db()
    assert execution.status == "running"
    assert submitted == []


@pytest.mark.parametrize("address", ["/api/v1/executions/", "/api/v1/executions/{execution}/cancel/"])
def test_the_api_with_a_session_needs_the_csrf_token_too(make_client, make_execution, submitted, address):
    client, user = make_client("root", is_superuser=True, enforce_csrf_checks=True)
    address = address.format(execution=make_execution(user).pk)
    response = client.post(address, {"source": "print(1)"}, content_type="application/json")
    assert response.status_code == 403
    assert "CSRF" in response.json()["detail"]
    assert submitted == []


def test_the_api_with_a_session_works_with_the_csrf_token(make_client, submitted):
    client, _user = make_client("runner", "run_scripts", enforce_csrf_checks=True)
    client.get("/run/script/")
    token = client.cookies["csrftoken"].value
    response = client.post(
        "/api/v1/executions/", {"source": "print(1)"}, content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert response.status_code == 201, response.content
    assert len(submitted) == 1


def test_a_html_form_cannot_speak_to_the_api(runner, submitted):
    response = runner.post("/api/v1/executions/", '{"source": "print(1)"}', content_type="text/plain")
    assert response.status_code == 415
    assert submitted == []


WRITING = ("add_scripttemplate", "change_scripttemplate", "add_templateversion", "add_script", "change_script")


@pytest.mark.parametrize("address", ["scripttemplate/add/", "scripttemplate/{template}/change/", "script/add/"])
def test_the_admin_is_no_way_around_the_permission_to_run(make_client, template, address):
    address = "/admin/myapp/" + address.format(template=template.pk)
    # given staff who may write, but not run
    writer, _user = make_client("writer", *WRITING, is_staff=True)
    typed = {"name": "n", "source": "print(1)", "versions-TOTAL_FORMS": "0", "versions-INITIAL_FORMS": "0"}
    assert writer.post(address, typed).status_code == 403
    # and their twin, who may run as well
    twin, _user = make_client("twin", *WRITING, "run_scripts", is_staff=True)
    assert twin.get(address).status_code == 200


@pytest.mark.parametrize("address", ["execution/add/", "attempt/add/"])
def test_the_admin_makes_no_records_not_even_for_a_superuser(make_client, address):
    client, _user = make_client("root", is_staff=True, is_superuser=True)
    assert client.get("/admin/myapp/" + address).status_code in (403, 404)
