"""The JSON API: what it answers, and how it says no."""

import pytest
from django.test import Client

from myapp.web.models import ApiToken


@pytest.fixture
def owner(make_client):
    return make_client("owner", "run_scripts")


@pytest.fixture
def token(owner):
    return ApiToken.issue(owner[1], "ci")[1]


def send(client, body, **more):
    return client.post("/api/v1/executions/", body, content_type="application/json", **more)


def test_a_token_opens_the_api_without_a_session_or_csrf_token(token, submitted):
    client = Client(enforce_csrf_checks=True)
    response = send(client, {"source": "print(1)"}, headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 201, response.content
    assert response["Location"] == response.json()["url"]
    assert submitted[0]["source"] == "print(1)"


def test_a_token_opens_no_page(token):
    assert Client().get("/", headers={"Authorization": f"Bearer {token}"}).status_code == 302


def test_only_the_hash_of_a_token_is_kept(token):
    assert token.startswith("autotest_")
    kept = ApiToken.objects.get()
    assert token not in {str(getattr(kept, field.attname)) for field in ApiToken._meta.fields}


@pytest.mark.parametrize("header", ["Bearer nonsense", "Basic abc", "Bearer", "", "Bearer \x00"])
def test_a_wrong_token_is_no_way_in_even_with_a_session(owner, header):
    response = owner[0].get("/api/v1/stats/", headers={"Authorization": header})
    assert response.status_code == 401
    assert "WWW-Authenticate" in response


def test_a_token_dies_with_its_user_and_with_its_permission(owner, token, submitted):
    headers = {"Authorization": f"Bearer {token}"}
    owner[1].user_permissions.clear()
    assert send(Client(), {"source": "1"}, headers=headers).status_code == 403
    owner[1].is_active = False
    owner[1].save()
    assert send(Client(), {"source": "1"}, headers=headers).status_code == 401
    assert submitted == []


def test_a_token_is_shown_once(owner):
    client, user = owner
    html = client.post("/account/", {"name": "ci"}).content.decode()
    assert "autotest_" in html
    assert "autotest_" not in client.get("/account/").content.decode()
    assert user.api_tokens.get().name == "ci"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ("{", 400, None),
        ("[]", 400, None),
        ("[" * 100_000, 400, None),
        ({}, 422, None),
        ({"source": "1", "template": 1}, 422, None),
        ({"source": 5}, 422, "source"),
        ({"source": "x" * 200_001}, 422, "source"),
        ({"source": "1", "arguments": [1]}, 422, "arguments"),
        ({"source": "1", "environment": {"A": 1}}, 422, "environment"),
        ({"source": "1", "timeout_s": True}, 422, "timeout_s"),
        ({"source": "1", "queue": "default"}, 422, "queue"),
        ({"template": "1"}, 422, "template"),
        ({"template": 999}, 404, None),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(owner, submitted, body, status, field):
    response = send(owner[0], body)
    problem = response.json()
    assert response.status_code == problem["status"] == status
    assert response["Content-Type"] == "application/problem+json"
    assert problem["detail"]
    assert list(problem.get("errors", {})) == ([field] if field else [])
    assert submitted == []


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused_with_what_is_allowed(owner, method):
    response = getattr(owner[0], method)("/api/v1/executions/")
    assert response.status_code == 405
    assert response["Allow"] == "GET, POST"


def test_what_is_not_there_is_not_found_in_json(owner):
    for address in (
        "/api/v1/nowhere/",
        "/api/v2/executions/",
        "/api/v1/executions/00000000-0000-0000-0000-000000000000/",
    ):
        response = owner[0].get(address)
        assert response.status_code == 404
        assert response["Content-Type"] == "application/problem+json"


def test_output_is_read_in_pieces_to_its_end(owner, make_execution):
    done = make_execution(owner[1], status="succeeded", output="one\ntwo\n")
    first = owner[0].get(f"/api/v1/executions/{done.pk}/output/").json()
    assert (first["text"], first["next_offset"], first["complete"]) == ("one\ntwo\n", 8, True)
    rest = owner[0].get(f"/api/v1/executions/{done.pk}/output/?offset=4").json()
    assert rest["text"] == "two\n"


def test_output_of_a_new_attempt_begins_anew(owner, make_execution):
    running = make_execution(owner[1], output="again\n", current_attempt=2)
    answer = owner[0].get(f"/api/v1/executions/{running.pk}/output/?offset=3&attempt=1").json()
    assert (answer["text"], answer["attempt"], answer["restarted"]) == ("again\n", 2, True)


@pytest.mark.parametrize("query", ["offset=-1", "offset=x", "offset=" + "9" * 13])
def test_a_bad_offset_is_refused(owner, make_execution, query):
    response = owner[0].get(f"/api/v1/executions/{make_execution(owner[1]).pk}/output/?{query}")
    assert response.status_code == 422


def test_what_has_ended_cannot_be_cancelled(owner, make_execution):
    done = make_execution(owner[1], status="succeeded")
    response = owner[0].post(f"/api/v1/executions/{done.pk}/cancel/")
    assert response.status_code == 409
    assert "succeeded" in response.json()["detail"]


def test_lists_are_filtered_and_paged(owner, make_execution):
    for status in ("failed", "failed", "succeeded"):
        make_execution(owner[1], status=status)
    answer = owner[0].get("/api/v1/executions/?status=failed&per_page=1&page=2").json()
    assert (answer["count"], answer["page"], answer["pages"], len(answer["executions"])) == (2, 2, 2, 1)
    assert owner[0].get("/api/v1/executions/?status=nonsense").status_code == 422
    assert owner[0].get("/api/v1/executions/?per_page=1000").status_code == 422


def test_templates_tell_their_parameters(owner, template):
    listed = owner[0].get("/api/v1/templates/").json()["templates"]
    assert [each["name"] for each in listed] == ["Smoke test"]
    one = owner[0].get(f"/api/v1/templates/{template.pk}/").json()
    assert one["parameters"]["required"] == ["service"]
    assert one["version"] == 1
