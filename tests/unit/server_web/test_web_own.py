"""Users see and stop their own executions; somebody else's look as if they did not exist."""

import pytest

PAGES = ["/executions/{pk}/", "/executions/{pk}/live/", "/executions/{pk}/output.txt"]
API = ["/api/v1/executions/{pk}/", "/api/v1/executions/{pk}/output/"]


@pytest.fixture
def owner(make_client):
    return make_client("owner", "run_scripts")


@pytest.fixture
def secret(make_execution, owner):
    return make_execution(owner[1], output="s3cret\n", source="# s3cret plan")


@pytest.mark.parametrize("address", PAGES + API)
def test_ones_own_execution_is_seen(owner, secret, address):
    assert owner[0].get(address.format(pk=secret.pk)).status_code == 200


@pytest.mark.parametrize("address", PAGES + API)
def test_somebody_elses_is_not_found(runner, secret, address):
    response = runner.get(address.format(pk=secret.pk))
    assert response.status_code == 404
    assert b"s3cret" not in response.content


@pytest.mark.parametrize("address", PAGES + API)
def test_the_permission_to_view_executions_shows_all(make_client, secret, address):
    client, _user = make_client("auditor", "view_execution")
    assert client.get(address.format(pk=secret.pk)).status_code == 200


@pytest.mark.parametrize("address", ["/", "/executions/", "/executions/?q=plan&user=owner", "/api/v1/executions/"])
def test_lists_hold_nothing_of_somebody_else(runner, secret, address):
    response = runner.get(address)
    assert response.status_code in (200, 422)
    assert b"s3cret" not in response.content
    assert str(secret.pk) not in response.content.decode()


def test_figures_count_nothing_of_somebody_else(runner, secret):
    assert runner.get("/api/v1/stats/").json()["total"]["count"] == 0


@pytest.mark.parametrize("address", ["/executions/{pk}/cancel/", "/api/v1/executions/{pk}/cancel/"])
def test_somebody_elses_cannot_be_cancelled(runner, secret, address):
    assert runner.post(address.format(pk=secret.pk)).status_code == 404
    secret.refresh_from_db()
    assert secret.status == "running"


@pytest.mark.parametrize("address", ["/executions/{pk}/cancel/", "/api/v1/executions/{pk}/cancel/"])
def test_seeing_all_is_not_stopping_all(make_client, secret, address):
    client, _user = make_client("auditor", "view_execution", "run_scripts")
    assert client.post(address.format(pk=secret.pk)).status_code == 403
    secret.refresh_from_db()
    assert secret.status == "running"


def test_the_form_to_run_again_is_not_filled_from_somebody_elses(runner, secret):
    assert b"s3cret" not in runner.get(f"/run/script/?from={secret.pk}").content


def test_a_token_of_somebody_else_cannot_be_revoked(make_client, runner):
    from myapp.web.models import ApiToken

    token, _text = ApiToken.issue(make_client("owner")[1], "theirs")
    assert runner.post(f"/account/tokens/{token.pk}/revoke/").status_code == 404
    assert ApiToken.objects.filter(pk=token.pk).exists()
