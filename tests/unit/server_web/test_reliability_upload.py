"""What CI may upload: a report, once, with a token; whatever else comes changes nothing."""

from __future__ import annotations

import re
import shlex
from datetime import timedelta
from io import StringIO
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from run_of_ci import a_run
from uploads import UPLOAD, Ci

from assay.reports import json
from myapp.web.models import ApiToken
from reliability.models import Report, UploadToken

pytestmark = pytest.mark.django_db
PAGE = b"<!doctype html><title>run</title><script>document.title = 'ran'</script>"


@pytest.fixture
def ci():
    return Ci()


def changed(**fields):
    """A report as JSON with these fields of its top level, or of its app, set."""
    data = msgspec.to_builtins(a_run())
    data["app"] |= fields.pop("app", {})
    return msgspec.json.encode({**data, **fields})


def test_an_upload_is_kept_byte_for_byte_with_what_ci_said_of_it(ci):
    sent = json.render(a_run()).encode()
    answer = ci.upload(sent, branch="feature/x y", commit="1a2b3c4d")
    assert answer.status_code == 201, answer.content
    kept = Report.objects.get()
    assert answer.json()["url"] == f"http://testserver/reliability/{kept.pk}/"
    assert (kept.text, kept.app, kept.branch, kept.commit) == (sent, "shop", "feature/x y", "1a2b3c4d")
    assert (kept.verdict, kept.stack) == ("held", "fakeredis 2.40.0, prefork, celery 5.7.0")
    assert UploadToken.objects.get().last_used_at is not None


def test_the_body_alone_may_be_the_report(ci):
    headers = {"Authorization": f"Bearer {ci.text}"}
    body = json.render(a_run())
    answer = Client().post(f"{UPLOAD}?branch=main", body, content_type="application/json", headers=headers)
    assert answer.status_code == 201
    assert Report.objects.get().branch == "main"


def test_the_same_report_again_is_the_same_and_may_bring_its_page(ci):
    first = ci.upload(a_run(), branch="main")
    again = ci.upload(a_run(), branch="other", page=PAGE)
    assert (first.status_code, again.status_code) == (201, 200)
    assert (first.json()["id"], again.json()["created"]) == (again.json()["id"], False)
    assert Report.objects.get().branch == "main"
    assert Report.objects.get().page is not None


@pytest.mark.parametrize("page", ["docs/reliability-page.md", "server/README.md"])
def test_every_line_for_ci_that_is_documented_uploads(ci, page):
    written = (Path(__file__).parents[3] / page).read_text(encoding="utf-8")
    lines = re.findall(r"curl --fail-with-body .*", written)
    assert len(lines) == {"docs/reliability-page.md": 3, "server/README.md": 1}[page]
    for day, line in enumerate(lines, 1):
        words = shlex.split(line)
        given = dict(pairwise(words))
        assert re.fullmatch(r"Authorization: Bearer \$(AUTOTEST_TOKEN|\{\{ secrets.AUTOTEST_TOKEN \}\})", given["-H"])
        assert given["-F"] == "report=@runs/ci/report.json"
        assert urlsplit(words[-1]).path == UPLOAD
        strings = [words[place + 1] for place, word in enumerate(words) if word == "--form-string"]
        fields = dict(each.split("=", 1) for each in strings)
        assert fields.keys() == {"branch", "commit"}
        assert ci.upload(a_run(started_at=f"2026-03-0{day}T12:00:00+00:00"), **fields).status_code == 201
        assert Report.objects.filter(**fields).count() == 1


@pytest.mark.parametrize("way", ["none", "nonsense", "secret", "key", "revoked", "of a user"])
def test_a_wrong_token_changes_nothing_and_its_twin_uploads(ci, make_client, way):
    if way == "revoked":
        other = Ci()
        call_command("upload_token", revoke=other.token.key, stdout=StringIO())
        text = other.text
    else:
        text = {
            "none": "",
            "nonsense": "autotest_ci_",
            "secret": ci.text[:-1] + ("a" if ci.text[-1] != "a" else "b"),
            "key": ci.text.replace(ci.token.key, "00000000"),
            "of a user": ApiToken.issue(make_client("wei", is_superuser=True)[1], "mine")[1],
        }[way]
    answer = ci.upload(a_run(), text=text)
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert not Report.objects.exists()
    assert not UploadToken.objects.exclude(last_used_at=None).exists()
    assert ci.upload(a_run()).status_code == 201


def test_an_upload_token_opens_nothing_else(ci):
    headers = {"Authorization": f"Bearer {ci.text}"}
    assert Client().get("/api/v1/executions/", headers=headers).status_code == 401
    assert Client().get(UPLOAD, headers=headers).status_code == 405
    assert Client().get("/reliability/", headers=headers).status_code == 302


def test_a_token_of_one_app_uploads_no_report_of_another():
    ci = Ci(app="shop")
    assert ci.upload(a_run(app="billing")).status_code == 403
    assert not Report.objects.exists()
    assert ci.upload(a_run()).status_code == 201


def test_a_session_is_no_way_to_upload(make_client):
    client, _user = make_client("root", is_superuser=True)
    assert client.post(UPLOAD, json.render(a_run()), content_type="application/json").status_code == 401


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "report.json is damaged"),
        (b'{"schema": 1', "report.json is damaged"),
        (b"\xff\xfe", "report.json is damaged"),
        (b'{"tests": []}', "report.json is not a report of Assay: it has no schema number and results"),
        (changed(schema=2), "report.json has schema 2, this version of Assay reads up to 1"),
        (changed(verdict="green"), "report.json is damaged: Invalid enum value 'green'"),
        (b'{"schema": 1, "results": ' + b"[" * 100_000, "nested too deeply"),
        (changed(app={"name": "", "module": ""}), "report.json names no app"),
        (changed(app={"name": "a\0b"}), "holds characters that cannot be printed"),
        (changed(app={"name": "x" * 201}), "has 201 characters"),
        (changed(app={"name": ["shop"]}), "report.json is damaged: Expected `str`, got `array`"),
        (changed(app={"origins": {"task_acks_late": 1}}), "report.json is damaged: Expected `object`"),
        (changed(app={"tasks": {"shop.charge": []}}), "report.json is damaged: Expected `object`"),
        (changed(landed=-1), "-1 landed faults"),
        (changed(landed=10**30), "landed faults"),
        (changed(started_at=""), "its started_at is no time"),
        (changed(started_at="0001-01-01T00:00:00+14:00"), "its started_at is no time"),
        (changed(started_at=(timezone.now() + timedelta(days=9)).isoformat()), "starts in the future"),
    ],
)
def test_what_is_no_report_is_refused_in_words(ci, sent, said):
    answer = ci.upload(sent)
    assert answer.status_code == 400
    assert said in answer.json()["detail"]
    assert not Report.objects.exists()


def test_a_page_that_is_no_html_and_a_branch_with_a_line_break_are_refused(ci):
    assert "not an HTML file" in ci.upload(a_run(), page=b"\x7fELF").json()["detail"]
    assert "branch holds characters" in ci.upload(a_run(), branch="a\nb").json()["detail"]
    assert not Report.objects.exists()


def test_what_is_too_large_is_refused_before_it_is_parsed_and_what_just_fits_is_not(ci, settings):
    sent = json.render(a_run()).encode()
    settings.REPORT_BYTES = len(sent) - 1
    headers = {"Authorization": f"Bearer {ci.text}"}
    bomb = b"[" * len(sent)
    assert Client().post(UPLOAD, bomb, content_type="application/json", headers=headers).status_code == 413
    assert ci.upload(sent).status_code == 413
    settings.REPORT_BYTES = len(sent)
    assert ci.upload(sent, page=b"<!doctype html>".ljust(len(sent) + 1)).status_code == 413
    assert not Report.objects.exists()
    assert ci.upload(sent).status_code == 201


def test_a_form_that_is_cut_off_or_has_no_report_is_told_so(ci):
    headers = {"Authorization": f"Bearer {ci.text}"}
    torn = Client().post(UPLOAD, b"--x\r\n", content_type="multipart/form-data", headers=headers)
    empty = Client().post(UPLOAD, {"branch": "main"}, headers=headers)
    other = Client().post(UPLOAD, "report", content_type="text/plain", headers=headers)
    assert (torn.status_code, empty.status_code, other.status_code) == (400, 400, 415)
    assert "-F report=@report.json" in empty.json()["detail"]


def test_of_each_app_the_newest_uploads_are_kept(ci, settings):
    settings.KEEP_REPORTS = 2
    ci.upload(a_run(app="billing"))
    for day in (3, 1, 2):
        ci.upload(a_run(started_at=f"2026-03-0{day}T12:00:00+00:00"))
    kept = [(report.app, report.started_at.day) for report in Report.objects.order_by("uploaded_at")]
    assert kept == [("billing", 1), ("shop", 1), ("shop", 2)]


def test_the_command_prints_a_token_once_lists_it_without_its_secret_and_revokes_it():
    def said(*arguments, **options):
        out = StringIO()
        call_command("upload_token", *arguments, stdout=out, **options)
        return out.getvalue().strip()

    ci = Ci()
    ci.text = said("GitHub", app="shop")
    assert ci.upload(a_run()).status_code == 201
    key, secret = ci.text.removeprefix("autotest_ci_").split("_", 1)
    listed = said(list=True)
    assert f"{key}  GitHub  shop" in listed
    assert secret not in listed
    assert secret not in str(UploadToken.objects.values_list())
    said(revoke=key)
    assert ci.upload(a_run()).status_code == 401
    with pytest.raises(CommandError, match="no valid token"):
        said(revoke=key)


def test_the_admin_shows_a_new_token_this_once_and_revokes_it(make_client):
    admin, _user = make_client("root", is_staff=True, is_superuser=True)
    made = admin.post("/admin/reliability/uploadtoken/add/", {"name": "GitLab", "app": ""})
    ci, token = Ci(), UploadToken.objects.get(name="GitLab")
    ci.text = made.content.decode().partition('<code id="fresh">')[2].partition("<")[0]
    assert ci.upload(a_run()).status_code == 201
    listed = admin.get("/admin/reliability/uploadtoken/").content.decode()
    assert ci.text.split("_", 3)[3] not in listed + str(admin.cookies)
    admin.post("/admin/reliability/uploadtoken/", {"action": "revoke", "_selected_action": [token.pk]})
    assert ci.upload(a_run()).status_code == 401
    assert admin.get("/admin/reliability/report/").status_code == 200
    assert admin.get("/admin/reliability/report/add/").status_code == 403
