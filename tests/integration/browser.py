"""Headless Chromium for tests of pages. A missing browser skips on a laptop, with the reason, and fails in CI."""

from __future__ import annotations

import os
import shutil

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync --lang=en"
)


def missing(what: str) -> None:
    (pytest.fail if os.environ.get("CI") else pytest.skip)(what)


def installed() -> tuple[str, str] | None:
    """The browser and its driver."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


def opened(programs: tuple[str, str], profile: str, width: int, height: int, *, dark: bool = False) -> webdriver.Chrome:
    """A browser with a fresh profile, whose screen has this size; whoever calls quits it."""
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    for option in (*OPTIONS.split(), f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(programs[1]))
    screen(driver, width, height, dark=dark)
    return driver


def screen(driver: webdriver.Chrome, width: int, height: int, *, dark: bool = False) -> None:
    """The size of what the page is shown on, and whether its reader likes it dark."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


@pytest.fixture(scope="session")
def programs():
    found = installed()
    if not found:
        missing(f"page tests need {' or '.join(BROWSERS)}, and chromedriver (Debian: chromium, chromium-driver)")
    return found


@pytest.fixture
def open_browser(programs, tmp_path):
    """open_browser(width, height, dark=False): a browser of its own with a fresh profile, closed after the test."""
    drivers = []

    def make(width=1200, height=900, *, dark=False):
        driver = opened(programs, str(tmp_path / f"profile{len(drivers)}"), width, height, dark=dark)
        drivers.append(driver)
        return driver

    yield make
    for driver in drivers:
        driver.quit()
