"""A browser and the whole service. A missing browser skips on a laptop, with the reason, and fails in CI."""

from __future__ import annotations

import os
import shutil

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from site_under_test import site

from assay.errors import UsageError

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync --lang=en"
)


def missing(what: str) -> None:
    (pytest.fail if os.environ.get("CI") else pytest.skip)(what)


@pytest.fixture(scope="session")
def programs():
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if not browser or not driver:
        missing(f"page tests need {' or '.join(BROWSERS)}, and chromedriver (Debian: chromium, chromium-driver)")
    return browser, driver


@pytest.fixture(scope="session")
def served(tmp_path_factory, programs):
    try:
        with site(tmp_path_factory.mktemp("site")) as running:
            yield running
    except UsageError as no_redis:
        missing(str(no_redis))


@pytest.fixture
def open_browser(programs, tmp_path):
    """open_browser(width, dark): a browser of its own with a fresh profile, closed after the test."""
    opened = []

    def make(width=1200, height=900, *, dark=False):
        options = webdriver.ChromeOptions()
        options.binary_location = programs[0]
        for option in (*OPTIONS.split(), f"--user-data-dir={tmp_path / f'profile{len(opened)}'}"):
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(programs[1]))
        opened.append(driver)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        return driver

    yield make
    for driver in opened:
        driver.quit()
