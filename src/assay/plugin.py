"""The pytest plugin: `pip install celery-assay` is enough. docs/pytest.md shows a test of ten lines.

Everything is named `assay...`, so it clashes with no fixture of pytest-django or pytest-celery; nothing is imported or
started unless a test asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from assay.bench import Bench
    from assay.trial import Trial

OPTIONS = {
    "assay_app": "the Celery app under test, as Celery's -A",
    "assay_workdir": "folder to import the app from",
    "assay_broker": "fakeredis (embedded, the default), redis or rabbitmq (private ones), or a URL",
    "assay_pool": "the workers' pool: prefork, solo or threads",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("assay", "Celery reliability (celery-assay)")
    for name, about in OPTIONS.items():
        group.addoption("--" + name.replace("_", "-"), dest=name, metavar="VALUE", help=about)
        parser.addini(name, about + " (celery-assay)", default="")
    group.addoption("--assay-cold", action="store_true", help="start workers by the real `celery worker` command")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "assay(app=..., workdir=..., broker=..., pool=..., concurrency=..., live=...): the app under test"
    )


@pytest.fixture(scope="session")
def assay_benches(pytestconfig: pytest.Config) -> Iterator[Callable[..., Bench]]:
    """A bench (broker and imported app) for each combination of app, folder, broker and pool, kept for the session."""
    from assay.bench import bench
    from assay.progress import Silent
    from assay.settings import load

    made: dict[tuple[tuple[str, str], ...], Bench] = {}
    with ExitStack() as stack:

        def get(**wanted: Any) -> Bench:
            given = {
                name: wanted.get(name) or _option(pytestconfig, f"assay_{name}")
                for name in ("app", "workdir", "broker", "pool")
            }
            key = tuple(sorted((name, str(value)) for name, value in given.items() if value))
            if key not in made:
                options = {**dict(key), "jobs": 1, "cold": pytestconfig.getoption("assay_cold") or None}
                settings = load(options, cwd=pytestconfig.rootpath)
                if not settings.app:
                    raise pytest.UsageError(
                        "no app is named: say --assay-app=APP, assay_app in the ini file, app in [tool.assay], "
                        "or @pytest.mark.assay(app=...)"
                    )
                made[key] = stack.enter_context(bench(settings, Silent()))
            return made[key]

        yield get


def _option(config: pytest.Config, name: str) -> str:
    return str(config.getoption(name) or config.getini(name) or "")


@pytest.fixture
def assay_cluster(
    request: pytest.FixtureRequest, assay_benches: Callable[..., Bench], tmp_path: Path
) -> Iterator[Trial]:
    """A broker of its own, workers to start and to kill, and the history of this test."""
    from assay.errors import UsageError
    from assay.settings import must_be_known
    from assay.trial import Trial

    marker = request.node.get_closest_marker("assay")
    wanted = dict(marker.kwargs) if marker else {}
    try:
        for key in wanted:
            must_be_known(key, "@pytest.mark.assay")
        own = {name: wanted.pop(name) for name in ("concurrency", "live") if name in wanted}
        bench = assay_benches(**wanted)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    with Trial.on(bench, tmp_path / "assay", **own) as trial:
        yield trial
