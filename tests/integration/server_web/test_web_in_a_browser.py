"""The page in headless Chromium, against a real web server, worker and Redis."""

from __future__ import annotations

import psutil
import pytest
from page_under_test import WAIT_S, Page, contrast_too_low
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from site_under_test import PASSWORD

# Says a line, then waits for a file: the test decides when it goes on, so "live" is certain and not likely.
IN_TWO_STEPS = """\
import os, pathlib, time
print("step <one>", flush=True)
while not pathlib.Path(os.environ["GATE"]).exists():
    time.sleep(0.05)
print("\\x1b[32mstep two\\x1b[0m", flush=True)
"""
FOR_EVER = """\
import os, pathlib, subprocess, time
child = subprocess.Popen(["sleep", "1000"])
pathlib.Path(os.environ["PIDS"]).write_text(f"{os.getpid()} {child.pid}")
print("going on", flush=True)
time.sleep(1000)
"""


@pytest.fixture
def page(open_browser, served):
    page = Page(open_browser(), served)
    page.log_in()
    return page


def test_a_script_runs_and_its_output_appears_live(page, served):
    # given a script that stops half way
    gate = served.folder / "gate"
    page.run_script(IN_TWO_STEPS, GATE=gate)
    # then its first line is there while it runs, without a reload
    page.driver.execute_script("window.loaded_once = true")
    page.shows("#output", "step <one>")
    page.status("running")
    assert "step two" not in page.text("#output")
    # when it may go on
    gate.touch()
    # then the rest follows by itself, once and readable, and the status says so to a screen reader too
    page.shows("#output", "step two")
    page.status("succeeded")
    page.until(lambda: page.driver.find_elements(By.CSS_SELECTOR, "#poll[data-finished]"), "the end of polling")
    assert page.text("#output") == "step <one>\nstep two\n"
    assert page.driver.execute_script("return window.loaded_once")
    assert page.find("#state").get_attribute("aria-live") == "polite"
    assert "page@" in page.text("#attempts")
    assert not page.driver.find_elements(By.CSS_SELECTOR, "#cancel button")
    assert page.complaints() == []


def test_a_long_script_is_cancelled_with_all_it_started_and_history_shows_it(page, served):
    pids = served.folder / "pids"
    page.run_script(FOR_EVER, PIDS=pids)
    here = page.driver.current_url
    page.shows("#output", "going on")
    processes = [psutil.Process(int(pid)) for pid in pids.read_text().split()]
    # when it is cancelled, and the question is answered with yes
    page.find("#cancel button").click()
    page.driver.switch_to.alert.accept()
    # then the page says so, and neither the script nor its child is left
    page.status("cancelled")
    _gone, alive = psutil.wait_procs(processes, timeout=WAIT_S)
    assert alive == []
    # and the history has it
    page.go("/executions/?status=cancelled")
    row = page.find(f"a[href='{here.removeprefix(served.url)}']").find_element(By.XPATH, "ancestor::tr")
    assert row.find_element(By.CSS_SELECTOR, "[data-status=cancelled]").text == "Cancelled"


def test_saying_no_to_the_question_cancels_nothing(page, served):
    gate = served.folder / "gate-of-no"
    page.run_script(IN_TWO_STEPS, GATE=gate)
    page.shows("#output", "step <one>")
    page.find("#cancel button").click()
    page.driver.switch_to.alert.dismiss()
    gate.touch()
    page.status("succeeded")


def test_a_template_tells_its_errors_at_the_fields_then_runs(page):
    page.go("/run/")
    page.driver.find_element(By.LINK_TEXT, "Greeting").click()
    assert page.find("#id_p-times").get_attribute("value") == "2"
    page.find("form.card button.primary").click()
    wrong = page.until(lambda: page.find("[aria-invalid=true]"), "the field with the error")
    assert wrong.get_attribute("name") == "p-who"
    described = page.find("#" + wrong.get_attribute("aria-describedby").split()[-1])
    assert "required" in described.text
    wrong.send_keys("<b>Wei</b>")
    page.find("form.card button.primary").click()
    page.shows("#output", "Hello <b>Wei</b>\nHello <b>Wei</b>")
    page.status("succeeded")
    # the browser notes that the first form was answered with 422, and nothing else
    assert [each for each in page.complaints() if "422" not in each] == []


def test_a_script_that_fails_says_so_in_words(page):
    page.run_script("import sys\nprint('oh', file=sys.stderr)\nsys.exit(3)\n")
    page.status("failed")
    assert page.find("#state .status").text == "Failed"
    page.shows("#facts", "Exit code")
    page.shows("#output", "oh")


def test_everything_can_be_done_with_the_keyboard(page):
    page.go("/run/script/")
    keys = page.driver.switch_to.active_element
    keys.send_keys(Keys.TAB)
    skip = page.driver.switch_to.active_element
    assert skip.text == "Skip to content"
    skip.send_keys(Keys.ENTER)
    for _ in range(12):
        page.driver.switch_to.active_element.send_keys(Keys.TAB)
        if page.driver.switch_to.active_element.get_attribute("id") == "id_source":
            break
    page.driver.switch_to.active_element.send_keys("print('typed')", Keys.TAB)
    for _ in range(8):
        active = page.driver.switch_to.active_element
        if active.tag_name == "button":
            break
        active.send_keys(Keys.TAB)
    active.send_keys(Keys.ENTER)
    page.shows("#output", "typed")
    page.status("succeeded")


PAGES = ("/", "/run/", "/run/script/", "/run/templates/1/", "/executions/", "/templates/", "/templates/1/", "/account/")


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (1200, True), (360, False)])
def test_no_page_is_wider_than_the_screen_or_breaks_a_rule_of_the_browser(open_browser, served, width, dark):
    page = Page(open_browser(width, dark=dark), served)
    page.log_in()
    for path in PAGES:
        page.go(path)
        page.driver.execute_script("document.querySelectorAll('details').forEach(each => each.open = true)")
        wide = page.driver.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{path} is {wide} px too wide"
        assert len(page.driver.find_elements(By.CSS_SELECTOR, "h1")) == 1
        unnamed = [
            control.get_attribute("outerHTML")
            for control in page.driver.find_elements(By.CSS_SELECTOR, "main input:not([type=hidden]), select, textarea")
            if control.is_displayed() and not control.accessible_name
        ]
        assert unnamed == [], path
        assert contrast_too_low(page) == [], path
    assert page.complaints() == []


def test_the_page_speaks_chinese(page):
    page.go("/")
    page.find("button[name=language][value=zh-hans]").click()
    page.shows("h1", "概览")
    page.go("/run/script/")
    assert page.text("h1") == "编写脚本"


def test_who_may_not_run_is_told_so(open_browser, served):
    page = Page(open_browser(), served)
    page.log_in("visitor")
    assert not page.driver.find_elements(By.LINK_TEXT, "Run")
    page.go("/run/script/")
    assert "You may not do this" in page.text()


def test_a_session_that_ends_while_the_page_polls_leads_to_the_login_and_back(page, served):
    gate = served.folder / "gate-of-session"
    page.run_script(IN_TWO_STEPS, GATE=gate)
    here = page.driver.current_url
    page.shows("#output", "step <one>")
    page.driver.delete_all_cookies()
    page.until(lambda: "/login/" in page.driver.current_url, "the login page")
    gate.touch()
    page.find("#id_username").send_keys("wei")
    page.find("#id_password").send_keys(PASSWORD, Keys.ENTER)
    page.until(lambda: page.driver.current_url == here, "the way back")
    page.status("succeeded")
