"""A page of the site in a browser, as a person uses it."""

from __future__ import annotations

from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from site_under_test import PASSWORD

WAIT_S = 30


class Page:
    """What a person does with the page."""

    def __init__(self, driver, site):
        self.driver, self.site = driver, site

    def go(self, path):
        self.driver.get(self.site.url + path)

    def find(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def text(self, css="body"):
        return self.find(css).get_attribute("textContent")

    def until(self, condition, what):
        # An element that was found may be gone before it is asked: the page has moved on, so look again.
        waiting = WebDriverWait(self.driver, WAIT_S, 0.1, [NoSuchElementException, StaleElementReferenceException])
        return waiting.until(lambda _: condition(), f"waited for {what}")

    def shows(self, css, text):
        return self.until(lambda: text in self.text(css), f"{text!r} in {css}")

    def status(self, wanted):
        self.until(lambda: self.driver.find_elements(By.CSS_SELECTOR, f"#state [data-status={wanted}]"), wanted)

    def log_in(self, name="wei"):
        self.go("/")
        self.find("#id_username").send_keys(name)
        self.find("#id_password").send_keys(PASSWORD, Keys.ENTER)
        self.until(lambda: "/login/" not in self.driver.current_url, "the login")

    def run_script(self, source, **environment):
        self.go("/run/script/")
        # Typed keys would be indented by nothing, but thousands of them are slow: the value is set as a paste would.
        self.driver.execute_script("arguments[0].value = arguments[1]", self.find("#id_source"), source)
        self.find("details summary").click()
        self.find("#id_environment").send_keys("\n".join(f"{name}={value}" for name, value in environment.items()))
        self.find("form.card button.primary").click()
        self.until(lambda: "/executions/" in self.driver.current_url, "the execution's page")

    def complaints(self):
        """What the browser's console holds: a blocked inline script or a missing file would be there."""
        return [entry["message"] for entry in self.driver.get_log("browser")]


CONTRAST = """
const rgb = c => c.match(/[\\d.]+/g).map(Number);
const light = c => { const [r, g, b] = rgb(c).map(v => v / 255)
    .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b; };
const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; const v = rgb(c);
  if (v.length < 4 || v[3] > .99) return c; } return getComputedStyle(document.body).backgroundColor; };
const low = [];
for (const e of document.querySelectorAll("body *")) {
  if (!e.offsetParent || e.closest("svg, .visually-hidden, [disabled]")) continue;
  if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
  const a = light(getComputedStyle(e).color), b = light(ground(e));
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (ratio < 4.5) low.push(e.textContent.trim().slice(0, 30) + " " + ratio.toFixed(2));
}
return low;
"""


def contrast_too_low(page):
    """Texts with less contrast than WCAG AA asks for (4.5:1)."""
    return page.driver.execute_script(CONTRAST)
