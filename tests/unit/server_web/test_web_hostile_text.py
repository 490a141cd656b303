"""Whatever a script prints, or a person types, is shown as text."""

import pytest

EVIL = """<script>alert(1)</script><img src=x onerror=alert(2)>"'{{ 7|add:7 }}&amp;"""
RAW = ("<script>alert", "<img src=x")


def assert_harmless(response):
    html = response.content.decode()
    assert response.status_code in (200, 422)
    assert not [each for each in RAW if each in html]
    assert "&lt;script&gt;" in html


@pytest.fixture
def owner(make_client):
    return make_client("owner", "run_scripts")


@pytest.fixture
def evil(make_execution, owner):
    return make_execution(
        owner[1],
        source=EVIL,
        output=f"\x1b[31m{EVIL}\x1b[0m",
        error=EVIL,
        arguments=[EVIL],
        parameters={EVIL: EVIL},
    )


@pytest.mark.parametrize(
    "address", ["/executions/{pk}/", "/executions/{pk}/live/?offset=0&seen=" + EVIL, "/executions/", "/"]
)
def test_in_an_execution(owner, evil, address):
    response = owner[0].get(address.format(pk=evil.pk) if "{pk}" in address else address)
    assert_harmless(response)
    assert "\x1b" not in response.content.decode()


def test_in_output_as_text_it_is_text_for_the_browser_too(owner, evil):
    response = owner[0].get(f"/executions/{evil.pk}/output.txt")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "script-src 'self'" in response["Content-Security-Policy"]


def test_in_the_api_it_is_json(owner, evil):
    response = owner[0].get(f"/api/v1/executions/{evil.pk}/output/")
    assert response["Content-Type"] == "application/json"
    assert response.json()["text"] == EVIL


@pytest.mark.parametrize("address", ["/run/", "/run/templates/{pk}/", "/templates/", "/templates/{pk}/"])
def test_in_a_templates_name_text_and_schema(owner, template, address):
    template.name, template.description = EVIL[:100], EVIL
    template.save()
    schema = {"type": "object", "properties": {EVIL: {"title": EVIL, "description": EVIL, "enum": [EVIL]}}}
    template.versions.create(number=2, source=EVIL, parameter_schema=schema)
    assert_harmless(owner[0].get(address.format(pk=template.pk)))


def test_in_what_is_typed_and_refused(owner, submitted):
    assert_harmless(owner[0].post("/run/script/", {"source": EVIL, "arguments": EVIL, "environment": EVIL}))
    assert submitted == []


def test_in_filters(owner, evil):
    assert_harmless(owner[0].get("/executions/", {"q": EVIL, "status": EVIL, "since": EVIL}))


def test_every_page_forbids_inline_script_and_style_and_has_none(owner, evil, template):
    client = owner[0]
    addresses = (
        "/",
        "/run/",
        "/run/script/",
        f"/run/templates/{template.pk}/",
        "/executions/",
        "/templates/",
        "/account/",
    )
    for address in (*addresses, f"/executions/{evil.pk}/", "/nowhere/"):
        response = client.get(address)
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        html = response.content.decode()
        assert "<style" not in html
        assert " style=" not in html
        assert " onclick=" not in html
        assert all("src=" in tag for tag in html.split("<script")[1:]), f"inline script in {address}"
        assert "http://" not in html.replace("http://www.w3.org", ""), f"something from elsewhere in {address}"
        assert response["X-Frame-Options"] == "DENY"
        assert "no-store" in response["Cache-Control"]
