"""The reliability pages in headless Chromium: from the list to a comparison and a trend, as CI fills them."""

from __future__ import annotations

from urllib.request import Request, urlopen

from page_under_test import Page, contrast_too_low
from run_of_ci import a_run
from selenium.webdriver.common.by import By

from assay.reports import json
from assay.verdict import Outcome

LATER = "2026-03-02T12:00:00+00:00"


def upload(site, token, report):
    address = f"{site.url}/api/v1/reports/?branch=main&commit=1a2b3c4d"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with urlopen(Request(address, json.render(report).encode(), headers)) as answer:
        assert answer.status == 201


def test_from_the_list_to_a_comparison_and_a_trend(open_browser, served):
    # given two runs that CI has uploaded with a token of the management command, the later one without late acks
    token = served.manage("upload_token", "CI")
    upload(served, token, a_run())
    upload(served, token, a_run(Outcome.LOST, started_at=LATER, settings={"task_time_limit": 600}))
    page = Page(open_browser(), served)
    page.log_in()
    # when a person goes to the list, then both are there with their verdicts in words
    page.driver.find_element(By.LINK_TEXT, "Reliability").click()
    page.shows("h1", "Reliability")
    assert [each.text for each in page.driver.find_elements(By.CSS_SELECTOR, "tbody .status")] == ["Violated", "Held"]
    seen = [page.driver.current_url]
    # and the newest two are chosen already: comparing them names what drifted and the line that was changed
    page.find("form button.primary").click()
    page.shows(".drifts.worse", "at-least-once → lost")
    assert page.text("#state .status") == "Worse"
    assert "task_acks_late: True → not set" in page.text(".drifts .cause")
    assert "shop/celery.py:41" in page.text(".drifts .place")
    seen.append(page.driver.current_url)
    # and the trend has a mark for each run, told in words to a screen reader
    page.driver.find_element(By.LINK_TEXT, "Trend").click()
    page.shows("caption", "shop · 2 runs")
    marks = page.driver.find_elements(By.CSS_SELECTOR, "svg.marks[aria-label='Held × 1, Violated × 1']")
    assert len(marks) == 2
    seen.append(page.driver.current_url)
    # and from a run in it there is a way to the report
    page.find("a.title-link").click()
    page.shows("h1", "shop")
    seen.append(page.driver.current_url)
    # then on a phone, in the dark, nothing is wider than the screen or hard to read, and the console is empty
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    for address in seen:
        page.driver.get(address)
        wide = page.driver.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{address} is {wide} px too wide"
        assert contrast_too_low(page) == [], address
    assert page.complaints() == []
