"""The report page in headless Chromium, from a file, as somebody opens it who got it by mail."""

from __future__ import annotations

import pytest
from axe_core_python.selenium import Axe
from browser import opened, screen
from run_on_disk import CHAOS, a_chaos_row, a_red_run, a_report_of, loaded, struck_ids, write
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from assay.cli.paging import page_of
from assay.event import Event, Kind
from assay.verdict import Verdict

WAIT_S = 30
HOSTILE = '</script><img src=x onerror="window.pwned = 1">'
#: every request but that for the file itself; a favicon would be one
REQUESTS = "return performance.getEntriesByType('resource').map(each => each.name)"
IN_VIEW = """
const box = arguments[0].getBoundingClientRect();
return box.top >= 0 && box.bottom <= innerHeight;
"""
#: WCAG 2.1, relative luminance and contrast, of each text against the nearest ground that is painted behind it
CONTRAST = r"""
function channels(colour) {
  const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
  return { rgb: [r, g, b], a };
}
function luminance(rgb) {
  const [r, g, b] = rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function ground(element) {
  for (let each = element; each; each = each.parentElement) {
    const { rgb, a } = channels(getComputedStyle(each).backgroundColor);
    if (a === 1) return rgb;
  }
  return [255, 255, 255];
}
const poor = [];
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!own || !element.checkVisibility() || ["SCRIPT", "STYLE", "NOSCRIPT", "title"].includes(element.tagName))
    continue;
  const style = getComputedStyle(element);
  const colour = element.namespaceURI.endsWith("svg") ? style.fill : style.color;
  const [light, dark] = [luminance(channels(colour).rgb), luminance(ground(element))].sort((a, b) => b - a);
  const ratio = (light + 0.05) / (dark + 0.05);
  const said = `${element.tagName} ${element.className}: ${element.textContent.slice(0, 40)}`;
  if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${said}`);
}
return poor;
"""


class Page:
    """What a person does with the page, and what a machine hears of it."""

    def __init__(self, driver, run):
        self.driver = driver
        out = run / "report.html"
        out.write_text(page_of(run, out), encoding="utf-8")
        self.address = out.as_uri()

    def open(self, anchor=""):
        self.driver.get("about:blank")
        self.driver.get(self.address + anchor)
        self.until(lambda: self.run("return document.documentElement.dataset.ready"), "the page")
        return self

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def until(self, condition, what):
        return WebDriverWait(self.driver, WAIT_S, 0.05).until(lambda _: condition(), f"waited for {what}")

    def find(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def open_first(self):
        """The first invocation of the table, which is the worst one; the lines of its events."""
        self.all("#list tbody tr a")[0].send_keys(Keys.ENTER)
        return self.until(lambda: self.all("#events tbody tr"), "the events")

    def complaints(self):
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def tab_to(self, css):
        """By the Tab key alone."""
        for _ in range(400):
            self.driver.switch_to.active_element.send_keys(Keys.TAB)
            if self.run("return document.activeElement.matches(arguments[0])", css):
                return self.driver.switch_to.active_element
        raise AssertionError(f"no Tab leads to {css}")


@pytest.fixture(scope="module")
def red(tmp_path_factory):
    return a_red_run(tmp_path_factory.mktemp("red") / "run")


@pytest.fixture(scope="module")
def driver(programs, tmp_path_factory):
    """One browser for all: each test opens the page anew."""
    driver = opened(programs, str(tmp_path_factory.mktemp("profile")), 1280, 1000)
    driver.set_script_timeout(4 * WAIT_S)  # axe's rules need a second or two of a processor
    yield driver
    driver.quit()


@pytest.fixture
def page(driver, red):
    screen(driver, 1280, 1000)
    yield Page(driver, red).open()
    driver.set_network_conditions(offline=False, latency=0, throughput=-1)
    driver.get_log("browser")


def test_an_address_that_no_page_has_made_leaves_the_timeline_as_it_is(page):
    page.open("#%")
    assert not page.find("#broken").is_displayed()
    assert page.find("#chart").is_displayed()


def test_it_opens_offline_without_a_complaint_and_asks_for_nothing(page):
    page.driver.set_network_conditions(offline=True, latency=0, throughput=0)
    page.open()
    assert page.complaints() == []
    assert page.run(REQUESTS) == []
    assert page.find("#count").text == "40 invocations"
    assert len(page.all("#chart .life")) == 40
    assert len(page.all("#chart .mark .kill")) == 4


def test_the_filter_works_by_keyboard_alone(page):
    page.tab_to(".skip").send_keys(Keys.ENTER)
    lost = page.tab_to("#kinds [data-kind=lost]")
    lost.send_keys(Keys.SPACE)
    assert lost.get_attribute("aria-pressed") == "true"
    assert page.find("#count").text == "4 of 40 invocations"
    assert len(page.all("#list tbody tr")) == 4
    assert len(page.all("#chart .life.off")) == 36  # the others are pale
    assert page.find("#count").get_attribute("role") == "status"
    # and the way back
    page.tab_to("#filter [type=reset]").send_keys(Keys.ENTER)
    assert page.find("#count").text == "40 invocations"
    assert page.all("#chart .life.off") == []
    # the next fault is told in words
    page.tab_to("#after").send_keys(Keys.ENTER)
    assert "Fault 1 of 4" in page.find("#said").text
    assert "SIGKILL child, at body_middle" in page.find("#said").text


def test_a_cell_of_the_heat_map_filters_by_its_task_and_point(page):
    page.find(".heat button.violated").send_keys(Keys.ENTER)
    told = page.find("#count").text
    assert told.endswith("of 40 invocations")
    assert int(told.split()[0]) == len(page.all("#list tbody tr")) < 4


def test_the_link_of_an_event_opens_its_life_at_that_line(page, red):
    rows = page.open_first()
    assert "FAULT landed: SIGKILL child" in page.find("#events .strike").text
    anchor = page.find("#events .strike a").get_attribute("href").partition("#")[2]
    title = page.find("#life-title").text
    # when somebody else opens that link
    page.open(f"#{anchor}")
    assert page.find("#life-title").text == title
    assert len(page.all("#events tbody tr")) == len(rows)
    here = page.find("#events .here")
    assert here.get_attribute("id") == anchor
    page.until(lambda: page.run(IN_VIEW, here), "the line in view")
    assert page.run("return document.activeElement.closest('tr').id") == anchor
    # and beside the words is the event, as it is in the file
    raw = here.find_element(By.CSS_SELECTOR, "td:last-child").get_attribute("textContent")
    recorded = (red / CHAOS / "events" / "100-1.jsonl").read_text().splitlines()[int(anchor.split("-")[2])]
    assert Event(**page.run("return JSON.parse(arguments[0])", raw)) == Event(
        **page.run("return JSON.parse(arguments[0])", recorded)
    )


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)])
def test_it_is_readable_in_light_and_dark_and_on_a_phone(page, width, dark):
    screen(page.driver, width, 844, dark=dark)
    page.open()
    page.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    page.open_first()
    assert page.run("return document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.run(CONTRAST) == []
    if (width > 390) is dark:
        return  # the rules are about markup: in one of each pair is enough
    rules = Axe().run(page.driver, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
    assert [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in rules["violations"]] == []


def test_contrast_that_is_too_low_is_found(page):
    page.run("document.querySelector('.tally').style.color = '#aaa'")
    (found,) = page.run(CONTRAST)
    assert found.startswith("2.2")
    assert " P tally: " in found


def test_no_text_of_a_task_becomes_markup_in_the_browser(page, tmp_path):
    events = [
        Event(each.at_ns, each.kind, each.pid, each.worker, each.invocation, HOSTILE, each.attempt,
              {**each.detail, "error": HOSTILE, "raised": HOSTILE} if each.kind is not Kind.HELD else each.detail)
        for each in loaded(20, struck=5, fate="lost")
    ]  # fmt: skip
    row = a_chaos_row(events, HOSTILE, verdict=Verdict.VIOLATED, reason=HOSTILE)
    run = write(tmp_path / "run", a_report_of(row, app={"name": HOSTILE}), {CHAOS: events})
    page = Page(page.driver, run).open(f"#i-{struck_ids(events)[0]}")
    assert HOSTILE in page.find("#life-title").text
    assert HOSTILE in page.find("#events tbody").text
    assert page.all("img") == []
    assert page.run("return window.pwned") is None
    assert page.complaints() == []
