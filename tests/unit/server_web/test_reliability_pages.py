"""What a team sees of its reports: verdicts in words and shapes, drifts, refusals, trends; and who sees it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.utils import translation
from run_of_ci import a_run
from uploads import Ci

import reliability
from assay.compare import compare
from assay.reports import json
from assay.reports.drifts import EXIT_WORDS, TITLES, tally
from assay.verdict import Outcome
from reliability.models import Report

pytestmark = pytest.mark.django_db
PAGE = b"<!doctype html><title>run</title>"
RED = '<span class="status bad" data-verdict="violated">'
EVIL = """<script>alert(1)</script><img src=x onerror=alert(2)>"'{{ 7|add:7 }}&amp;"""


@pytest.fixture
def viewer(make_client):
    return make_client("viewer", "view_report")[0]


@pytest.fixture
def ci():
    return Ci()


def html(client, address, **query):
    response = client.get(address, query)
    assert response.status_code == 200, address
    return response.content.decode()


def uploaded(ci, *reports, **fields):
    """Their ids, in order."""
    return [ci.upload(report, **fields).json()["id"] for report in reports]


def earlier_and_later():
    """A run that held, and a later one of the same app without late acknowledgement, in which work is lost."""
    later = {"started_at": "2026-03-02T12:00:00+00:00", "settings": {"task_time_limit": 600}}
    return a_run(), a_run(Outcome.LOST, environment={"celery": "5.6.2", "pool": "prefork"}, **later)


@pytest.mark.parametrize(
    ("outcome", "red", "word"), [(Outcome.LOST, True, "Violated"), (Outcome.RECOVERED, False, "Held")]
)
def test_a_violated_report_is_red_with_its_word_and_a_held_one_is_not(viewer, ci, outcome, red, word):
    (pk,) = uploaded(ci, a_run(outcome), branch="main", commit="1a2b3c4d5e")
    for address in ("/reliability/", f"/reliability/{pk}/"):
        shown = html(viewer, address)
        assert (RED in shown) is red, address
        assert f"</svg>{word}</span>" in shown, address
    assert ("acknowledged 2 ms after its delivery" in shown) is red
    assert ("Claims that do not hold" in shown) is red
    assert "shop/<wbr>celery.<wbr>py:41" in shown
    assert "0 lost in 3 landed faults" in shown or red


def test_the_list_is_filtered_by_app_branch_and_verdict(viewer, ci):
    uploaded(ci, a_run(), branch="main")
    uploaded(ci, a_run(Outcome.LOST, app="billing"), branch="fix")
    for query in ({"app": "billing"}, {"branch": "fix"}, {"verdict": "violated"}):
        (found,) = viewer.get("/reliability/", query).context["page"]
        assert found.app == "billing"
    assert viewer.get("/reliability/", {"app": "nowhere"}).context["filter"].errors.keys() == {"app"}


def test_a_comparison_says_what_the_terminal_says_drifts_first(viewer, ci):
    reports = earlier_and_later()
    base, current = uploaded(ci, *reports)
    shown = html(viewer, "/reliability/compare/", base=base, current=current)
    assert '<span class="status bad" data-verdict="compare-1">' in shown
    assert tally(compare(reports[:1], reports[1])) in shown
    cause = "task_<wbr>acks_<wbr>late: True → not set"
    order = ["Newly violated (1 row)", cause, "at-least-once → lost", "Settings that differ", "5.6.2"]
    places = [shown.find(each) for each in order]
    assert -1 not in places
    assert places == sorted(places)
    assert "exit code 1" in shown
    assert EXIT_WORDS[1] in shown


def test_a_comparison_with_itself_finds_nothing(viewer, ci):
    base, current = uploaded(ci, a_run(), a_run(started_at="2026-03-02T12:00:00+00:00"))
    shown = html(viewer, "/reliability/compare/", base=base, current=current, earlier="on")
    assert 'data-verdict="compare-0"' in shown
    assert "No guarantee is otherwise than before." in shown
    assert "data-kind=" not in shown


def test_earlier_runs_of_the_branch_tell_a_flaky_row_from_a_drift(viewer, ci):
    outcomes = (Outcome.RECOVERED, Outcome.DUPLICATED, Outcome.RECOVERED, Outcome.DUPLICATED)
    days = enumerate(outcomes, 1)
    ids = uploaded(ci, *(a_run(each, started_at=f"2026-03-0{day}T12:00:00+00:00") for day, each in days), branch="main")
    alone = html(viewer, "/reliability/compare/", base=ids[2], current=ids[3])
    together = html(viewer, "/reliability/compare/", base=ids[2], current=ids[3], earlier="on")
    assert 'data-kind="weaker"' in alone
    assert 'data-kind="flaky"' in together
    assert "3 runs of the same settings" in together


def test_what_cannot_be_compared_is_refused_in_words(viewer, ci):
    base, current = uploaded(ci, a_run(), a_run(app="billing"))
    shown = html(viewer, "/reliability/compare/", base=base, current=current)
    assert 'role="alert"' in shown
    assert "the base is about another app: shop, and the current run about billing" in shown
    gone = viewer.get("/reliability/compare/", {"base": base, "current": "x"})
    assert gone.context["form"].errors.keys() == {"current"}
    unknown = viewer.get("/reliability/compare/", {"base": base, "current": "00000000-0000-4000-8000-000000000000"})
    assert unknown.context["form"].errors.keys() == {"current"}


def test_the_trend_of_each_guarantee_is_told_in_words_and_shapes(viewer, ci):
    uploaded(ci, *earlier_and_later(), branch="main")
    uploaded(ci, a_run(app="billing", started_at="2026-02-01T12:00:00+00:00"))
    shown = html(viewer, "/reliability/trend/")
    assert shown.count('aria-label="Held × 1, Violated × 1"') == 2, "of the whole run, and of task_acks_late"
    assert "<title>2026-03-02 12:00: Violated</title><rect" in shown
    assert "task_<wbr>acks_<wbr>late: True → not set" in shown
    assert "at-least-once, lost" in shown
    assert 'aria-label="Held × 1"' in html(viewer, "/reliability/trend/", app="billing")
    assert viewer.get("/reliability/trend/", {"app": "nowhere"}).context["filter"].errors.keys() == {"app"}


def test_a_run_that_does_not_fit_the_newest_is_left_out_of_the_trend_and_told(viewer, ci):
    hollow = {"environment": {"bodies": "hollow"}, "started_at": "2026-03-02T12:00:00+00:00"}
    uploaded(ci, a_run(environment={"bodies": "live"}), a_run(**hollow))
    shown = html(viewer, "/reliability/trend/")
    assert "1 run" in shown
    assert "the run of 2026-03-01 12:00 is left out: the base ran live bodies" in shown


def test_before_the_first_upload_the_pages_say_so_with_the_line_for_ci(viewer):
    assert "-F report=@report.json http://testserver/api/v1/reports/" in html(viewer, "/reliability/")
    assert "No reports yet." in html(viewer, "/reliability/trend/")
    html(viewer, "/reliability/compare/")


def test_files_are_served_under_names_of_our_own_and_the_page_is_shut_in(viewer, ci):
    sent = json.render(a_run()).encode()
    (pk,) = uploaded(ci, sent, page=PAGE)
    file = viewer.get(f"/reliability/{pk}/report.json")
    assert (file.content, file["Content-Disposition"]) == (sent, f'attachment; filename="report-{pk}.json"')
    page = viewer.get(f"/reliability/{pk}/page/")
    assert page.content == PAGE
    policy = page["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'")
    assert "allow-same-origin" not in policy
    assert "connect-src" not in policy
    saved = viewer.get(f"/reliability/{pk}/page/?download")
    assert saved["Content-Disposition"] == f'attachment; filename="report-{pk}.html"'


def test_a_report_without_a_page_has_none(viewer, ci):
    (pk,) = uploaded(ci, a_run())
    assert viewer.get(f"/reliability/{pk}/page/").status_code == 404
    assert f"/reliability/{pk}/page/" not in html(viewer, f"/reliability/{pk}/")


def addresses(pk):
    pages = ("", "compare/", "trend/", f"{pk}/", f"{pk}/report.json", f"{pk}/page/")
    return [f"/reliability/{each}" for each in pages]


def test_reports_are_for_staff_and_for_those_with_the_permission(viewer, visitor, make_client, ci):
    (pk,) = uploaded(ci, a_run(), page=PAGE)
    staff, _user = make_client("staff", is_staff=True)
    for address in addresses(pk):
        assert visitor.get(address).status_code == 403, address
        assert viewer.get(address).status_code == staff.get(address).status_code == 200, address
        assert viewer.post(address).status_code == 405, address
    assert "/reliability/" not in visitor.get("/").content.decode()
    assert "/reliability/" in viewer.get("/").content.decode()


def test_whatever_a_report_says_is_shown_as_text(viewer, ci):
    reports = []
    for report in earlier_and_later():
        row, claim = report.results[0], report.claims[0]
        row.task = row.scenario = row.fault = row.place = row.claim = row.reason = row.remedy = row.promise = EVIL
        claim.setting = claim.promise = claim.observed = claim.place = claim.remedy = EVIL
        report.app |= {"name": EVIL[:60], "tasks": {EVIL: {}}, "module": EVIL}
        report.app["settings"] = {**report.app["settings"], EVIL: f"{EVIL}{report.started_at}"}
        report.broker, report.command = {"name": EVIL, "version": EVIL}, f"\u202e\x1b[31m{EVIL}"
        report.canary = EVIL
        reports.append(report)
    base, current = uploaded(ci, *reports, branch=EVIL, commit=EVIL[:60])
    pages = ["/reliability/", f"/reliability/{current}/", "/reliability/trend/"]
    pages.append(f"/reliability/compare/?base={base}&current={current}")
    for address in pages:
        shown = html(viewer, address)
        assert "<script>alert" not in shown, address
        assert "<img src=x" not in shown, address
        assert "&lt;script&gt;" in shown, address
        assert "\u202e" not in shown, address
        assert "\x1b" not in shown, address
        assert "style=" not in shown.replace("&quot;", ""), address
        assert "<style" not in shown, address


def test_a_report_that_this_version_cannot_read_any_more_says_so(viewer, ci, monkeypatch):
    base, current = uploaded(ci, *earlier_and_later())
    monkeypatch.setattr(json, "SCHEMA", 0)
    for address in (f"/reliability/{base}/", f"/reliability/compare/?base={base}&current={current}"):
        assert "has schema 1, this version of Assay reads up to 0" in html(viewer, address)
    html(viewer, "/reliability/trend/")
    assert Report.objects.count() == 2


def test_every_text_of_the_pages_has_its_chinese():
    sources = [path.read_text() for path in Path(reliability.__file__).parent.rglob("templates/reliability/*.html")]
    told = {text for source in sources for text in re.findall(r"translate '([^']+)'|translate \"([^\"]+)\"", source)}
    texts = {one or other for one, other in told} | {*TITLES.values(), *EXIT_WORDS.values()}
    assert len(texts) > 60
    with translation.override("zh-hans"):
        assert sorted(text for text in texts if translation.gettext(text) == text) == []


def test_the_pages_speak_chinese(viewer, ci):
    base, current = uploaded(ci, *earlier_and_later())
    viewer.post("/language/", {"language": "zh-hans", "next": "/"})
    shown = html(viewer, f"/reliability/compare/?base={base}&current={current}")
    assert "新的违约 (1 行)" in shown
    assert "</svg>违约</span>" in html(viewer, "/reliability/")
