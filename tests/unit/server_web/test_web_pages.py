"""What the pages do for those who may."""

import pytest

from myapp.models import Execution, ScriptTemplate


@pytest.fixture
def owner(make_client):
    return make_client("owner", "run_scripts")


def test_a_script_is_submitted_with_all_its_options(runner, submitted):
    typed = {
        "source": "print(1)\r\nprint(2)",
        "arguments": 'one "two three"',
        "environment": "A=1\nB=x=y",
        "timeout_s": "30",
    }
    response = runner.post("/run/script/", typed)
    assert response.status_code == 302
    assert submitted[0]["source"] == "print(1)\nprint(2)"
    assert submitted[0]["arguments"] == ["one", "two three"]
    assert submitted[0]["environment"] == {"A": "1", "B": "x=y"}
    assert submitted[0]["timeout_s"] == 30


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("source", ""),
        ("arguments", '"open'),
        ("environment", "no equals sign"),
        ("timeout_s", "0"),
        ("timeout_s", "601"),
    ],
)
def test_an_error_stands_at_its_field_and_nothing_is_lost(runner, submitted, field, value):
    typed = {"source": "print('keep me')", field: value}
    response = runner.post("/run/script/", typed)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert 'aria-invalid="true"' in response.content.decode()
    if field != "source":
        assert "keep me" in response.content.decode()
    assert submitted == []


def test_a_template_is_submitted_with_its_parameters(runner, template, submitted):
    response = runner.post(f"/run/templates/{template.pk}/", {"p-service": "pay", "p-count": "3"})
    assert response.status_code == 302
    assert submitted == [{"service": "pay", "count": 3}]


def test_a_parameter_that_is_missing_is_told_at_its_field(runner, template, submitted):
    response = runner.post(f"/run/templates/{template.pk}/", {"p-count": "0"})
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"p-service", "p-count"}
    assert submitted == []


def test_the_page_of_a_running_script_polls_from_where_its_output_ends(owner, make_execution):
    running = make_execution(owner[1], output="line 1\n")
    html = owner[0].get(f"/executions/{running.pk}/").content.decode()
    assert f"/executions/{running.pk}/live/?offset=7&amp;attempt=0&amp;seen=" in html
    assert 'aria-live="polite"' in html


def test_a_poll_brings_only_what_is_new(owner, make_execution):
    client, user = owner
    running = make_execution(user, output="old\nnew\n")
    seen = client.get(f"/executions/{running.pk}/").context["seen"]
    html = client.get(f"/executions/{running.pk}/live/", {"offset": 4, "seen": seen}).content.decode()
    assert "new\n" in html
    assert "old" not in html
    assert "#state" not in html, "an unchanged status is not announced again"


def test_output_of_a_new_attempt_takes_the_place_of_the_old(owner, make_execution):
    client, user = owner
    running = make_execution(user, output="second try\n", current_attempt=2)
    html = client.get(f"/executions/{running.pk}/live/", {"offset": 3, "attempt": 1, "seen": "x"}).content.decode()
    assert 'innerHTML:#output"><span>second try' in html


def test_the_last_poll_tells_the_end_and_asks_for_no_more(owner, make_execution):
    client, user = owner
    done = make_execution(user, output="all\n", status="succeeded")
    html = client.get(f"/executions/{done.pk}/live/", {"offset": 0, "seen": "running.0."}).content.decode()
    assert "all\n" in html
    assert "innerHTML:#state" in html
    assert "hx-get" not in html


@pytest.mark.parametrize("offset", ["-1", "x", "9" * 40, "²", "", "1e9"])
def test_a_strange_offset_is_no_error(owner, make_execution, offset):
    running = make_execution(owner[1], output="text")
    assert owner[0].get(f"/executions/{running.pk}/live/", {"offset": offset}).status_code == 200


def test_a_poll_after_the_session_ended_leads_the_page_to_the_login(client, owner, make_execution):
    running = make_execution(owner[1])
    here = f"http://testserver/executions/{running.pk}/"
    headers = {"HX-Request": "true", "HX-Current-URL": here}
    response = client.get(f"/executions/{running.pk}/live/", headers=headers)
    assert response.status_code == 401
    assert response["HX-Redirect"] == f"/login/?next=%2Fexecutions%2F{running.pk}%2F"


def test_history_is_filtered_and_its_pages_keep_the_filter(owner, make_execution):
    client, user = owner
    for _ in range(30):
        make_execution(user, status="failed")
    make_execution(user, status="succeeded", queue="dynamic_script")
    html = client.get("/executions/?status=failed").content.decode()
    assert "status=failed&amp;page=2" in html
    assert client.get("/executions/?status=failed&page=2").context["page"].paginator.count == 30
    assert client.get("/executions/?queue=dynamic_script").context["page"].paginator.count == 1
    assert client.get("/executions/?page=99").context["page"].number == 2


def test_an_earlier_script_fills_the_form(owner, make_execution):
    earlier = make_execution(owner[1], source="print('again')", arguments=["a b", "c"], environment={"A": "1"})
    html = owner[0].get(f"/run/script/?from={earlier.pk}").content.decode()
    assert "print(&#x27;again&#x27;)" in html
    assert "&#x27;a b&#x27; c" in html
    assert owner[0].get("/run/script/?from=nonsense").status_code == 200


def test_a_new_version_leaves_the_old_one_as_it_was(make_client, template):
    client, _user = make_client("writer", "run_scripts", "add_scripttemplate", "add_templateversion")
    before = template.versions.get(number=1).source
    typed = {"source": "print('two')", "parameter_schema": '{"type": "object", "properties": {}}'}
    assert client.post(f"/templates/{template.pk}/versions/new/", typed).status_code == 302
    assert template.versions.get(number=1).source == before
    assert template.versions.get(number=2).source == "print('two')"
    assert b"older version" in client.get(f"/templates/{template.pk}/versions/1/").content


def test_a_template_with_a_name_that_is_taken_is_refused_at_the_field(make_client, template):
    client, _user = make_client("writer", "run_scripts", "add_scripttemplate", "add_templateversion")
    typed = {"name": template.name, "source": "print(1)", "parameter_schema": '{"type": "object"}'}
    response = client.post("/templates/new/", typed)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["name"]
    assert ScriptTemplate.objects.count() == 1


def test_chinese_is_a_switch_away(runner):
    runner.post("/language/", {"language": "zh-hans", "next": "/"})
    html = runner.get("/").content.decode()
    assert '<html lang="zh-hans">' in html
    assert "历史" in html


def test_the_language_switch_leads_to_no_other_site(client):
    assert client.post("/language/", {"language": "en", "next": "https://evil.example/"})["Location"] == "/"


def test_the_login_leads_to_no_other_site(make_client, client):
    make_client("wei")
    data = {"username": "wei", "password": "correct horse", "next": "https://evil.example/"}
    assert client.post("/login/", data)["Location"] == "/"


def test_logging_out_needs_post(runner):
    assert runner.get("/logout/").status_code == 405


def test_nothing_ran_is_said_plainly(visitor):
    assert b"Nothing ran in the last 24 hours." in visitor.get("/").content
    assert Execution.objects.count() == 0
