"""A browser and the whole service."""

from __future__ import annotations

import pytest
from browser import missing, open_browser, programs
from site_under_test import site

from assay.errors import UsageError

__all__ = ["open_browser", "programs"]


@pytest.fixture(scope="session")
def served(tmp_path_factory, programs):
    try:
        with site(tmp_path_factory.mktemp("site")) as running:
            yield running
    except UsageError as no_redis:
        missing(str(no_redis))
