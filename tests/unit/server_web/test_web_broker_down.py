"""The broker is away: it is said plainly, what was typed is on record, nothing is lost and nothing breaks."""

import pytest
from celery import Task
from kombu.exceptions import OperationalError

from celery_app import app
from myapp.models import Execution, Status

# Real transactions: the message is published when the row is committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _broker_away(monkeypatch):
    def unreachable(*_args, **_kwargs):
        raise OperationalError("Connection refused")

    monkeypatch.setattr(Task, "apply_async", unreachable)
    monkeypatch.setattr(app.control, "revoke", unreachable)


def test_the_page_says_so_and_keeps_what_was_typed(runner):
    response = runner.post("/run/script/", {"source": "print('precious')", "arguments": "a b"}, follow=True)
    assert response.status_code == 200
    html = response.content.decode()
    assert "The broker cannot be reached" in html
    assert "Not queued" in html
    kept = Execution.objects.get()
    assert (kept.status, kept.source, kept.arguments) == (Status.PUBLISH_FAILED, "print('precious')", ["a", "b"])
    # and one click brings it back
    assert "precious" in runner.get(f"/run/script/?from={kept.pk}").content.decode()


def test_a_template_is_kept_too(runner, template):
    response = runner.post(f"/run/templates/{template.pk}/", {"p-service": "pay"}, follow=True)
    assert "The broker cannot be reached" in response.content.decode()
    assert Execution.objects.get().parameters == {"service": "pay"}


def test_the_api_says_503_with_the_record(runner):
    response = runner.post("/api/v1/executions/", {"source": "print(1)"}, content_type="application/json")
    problem = response.json()
    assert response.status_code == problem["status"] == 503
    assert response["Retry-After"]
    assert problem["execution"]["status"] == "publish_failed"
    assert problem["execution"]["id"] == str(Execution.objects.get().pk)


def test_cancelling_works_without_the_broker(make_client, make_execution):
    client, user = make_client("owner", "run_scripts")
    running = make_execution(user)
    assert client.post(f"/executions/{running.pk}/cancel/").status_code == 302
    running.refresh_from_db()
    assert running.status == Status.CANCELLED


@pytest.mark.parametrize("source", ["def broken(:", "print(1)\x00"])
def test_what_is_no_python_is_told_at_its_field(runner, source):
    response = runner.post("/run/script/", {"source": source})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["source"]
    assert Execution.objects.count() == 0


def test_a_parameter_that_only_the_schema_refuses_is_told_at_its_field(runner, template):
    schema = {"type": "object", "properties": {"service": {"type": "string", "pattern": "^[a-z]+$"}, "any": True}}
    template.versions.create(number=2, source="print(1)", parameter_schema=schema)
    response = runner.post(f"/run/templates/{template.pk}/", {"p-service": "NOT LOWER", "p-any": "1"})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["p-service"]
    answer = runner.post(
        "/api/v1/executions/", {"template": template.pk, "parameters": {"service": 5}}, content_type="application/json"
    )
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["service"]


def test_a_variable_that_the_worker_would_refuse_is_told_at_its_field(runner):
    response = runner.post("/run/script/", {"source": "print(1)", "environment": "LD_PRELOAD=/tmp/x.so"})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["environment"]
    assert Execution.objects.count() == 0


@pytest.mark.parametrize("folder", ["../../etc", "/etc"])
def test_a_working_directory_outside_is_refused_at_its_field(runner, folder):
    response = runner.post("/run/script/", {"source": "print(1)", "working_directory": folder})
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["working_directory"]
    assert Execution.objects.count() == 0
