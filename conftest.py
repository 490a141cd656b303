"""What all tests share: the environment of whoever runs them leaks in nowhere."""

import os

import pytest

GIVEN = (
    *("REDIS_URL", "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "CELERY_BACKEND", "DATABASE_URL", "AUTOTEST_ENV"),
    *("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"),  # by which a run annotates and appends
    *("COLUMNS", "LINES"),  # of the terminal: pytest-xdist hands them on
)


def pytest_configure(config: pytest.Config) -> None:
    for name in GIVEN:
        os.environ.pop(name, None)
