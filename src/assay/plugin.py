"""The pytest plugin: `pip install celery-assay` is enough. docs/pytest.md shows a test of ten lines.

Everything is named `assay...`, so it clashes with no fixture of pytest-django or pytest-celery; nothing is imported or
started unless a test asks for it.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Generator, Iterator
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
MARKER = "@pytest.mark.assay"
OF_TRIAL = ("concurrency", "live")  # of one test's cluster; the options are of the bench that several share
OF_MARKER = (*(name.removeprefix("assay_") for name in OPTIONS), *OF_TRIAL)


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


@pytest.hookimpl(hookwrapper=True)  # pluggy knows it in each of its versions
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, None, None]:
    """A failure shows the test's own lines; what the harness does below them is no news to its author."""
    if call.when == "call" and call.excinfo is not None:
        _shorten(call.excinfo.value)
    yield


def _shorten(error: BaseException) -> None:
    from assay.errors import UsageError

    calls = error.__traceback__
    if isinstance(error, UsageError | AssertionError):
        own = str(Path(__file__).parent)
        while calls is not None and calls.tb_next is not None:
            if calls.tb_next.tb_frame.f_code.co_filename.startswith(own):
                calls.tb_next = None  # pytest tells what is linked here, whatever its own list was cut to
            calls = calls.tb_next
    elif isinstance(error, TypeError) and "Act(" in "".join(traceback.format_tb(calls)[-1:]):
        from assay.trial import ACTS

        error.add_note(ACTS)  # msgspec's own message does not name them


@pytest.fixture(scope="session")
def assay_benches(pytestconfig: pytest.Config) -> Iterator[Callable[..., Bench]]:
    """A bench (broker and imported app) for each combination of app, folder, broker and pool, kept for the session."""
    import msgspec

    from assay.bench import bench
    from assay.errors import UsageError
    from assay.progress import Silent
    from assay.settings import load

    made: dict[tuple[tuple[str, str], ...], Bench] = {}
    with ExitStack() as stack:

        def get(**wanted: Any) -> Bench:
            given, sources = {}, {}
            for name in (option.removeprefix("assay_") for option in OPTIONS):
                value, sources[name] = _given(pytestconfig, wanted, name)
                if value:
                    given[name] = value
            key = tuple(sorted((name, str(value)) for name, value in given.items()))
            if key not in made:
                options = {**given, "jobs": 1, "cold": pytestconfig.getoption("assay_cold") or None}
                if pytestconfig.getoption("nomigrations", False):  # of pytest-django
                    options["migrations"] = False
                settings = load(options, cwd=pytestconfig.rootpath, sources=sources)
                # of the file's own app: a test says itself which queues its workers consume, and demands what it likes
                settings = msgspec.structs.replace(settings, queues=(), known=())
                if not settings.app:
                    raise UsageError(
                        "no app is named: say --assay-app=APP, assay_app in the ini file, app in [tool.assay], "
                        f"or {MARKER}(app=...)"
                    )
                made[key] = stack.enter_context(bench(settings, Silent()))
            return made[key]

        yield get


def _given(config: pytest.Config, wanted: dict[str, Any], name: str) -> tuple[Any, str]:
    """What is given for a key, and where: the marker wins over the command line, that over the ini file."""
    option = f"assay_{name}"
    if value := wanted.get(name):
        return value, MARKER
    if value := config.getoption(option):
        return value, f"--{option.replace('_', '-')}"
    return config.getini(option), f"{option} in the ini file"


def _wanted(marker: pytest.Mark | None) -> dict[str, Any]:
    """What the marker says; its one positional argument is the app. Raises UsageError."""
    from assay.errors import UsageError
    from assay.settings import converted, must_be_known

    if marker is None:
        return {}
    if len(marker.args) > 1 or (marker.args and "app" in marker.kwargs):
        raise UsageError(f'{MARKER} takes the app alone without a name: {MARKER}("shop:app", pool="solo")')
    wanted = {**({"app": marker.args[0]} if marker.args else {}), **marker.kwargs}
    for key in wanted:
        if key in OF_MARKER:
            continue
        must_be_known(key, MARKER)
        raise UsageError(f"{MARKER}: {key} is set in assay.toml or [tool.assay]; a test says {', '.join(OF_MARKER)}")
    if "concurrency" in wanted:
        converted({"concurrency": wanted["concurrency"]}, MARKER, Path())
    return wanted


def _in_pytest(said: str) -> str:
    """The options of `assay`, under the names that they have here."""
    named = re.sub(r"(?<![\w-])--(app|workdir|broker|pool)\b", r"--assay-\1", said)
    return re.sub(r"(?<![\w-])-A\b", "--assay-app", named)


@pytest.fixture
def assay_cluster(
    request: pytest.FixtureRequest, assay_benches: Callable[..., Bench], tmp_path: Path
) -> Iterator[Trial]:
    """A broker of its own, workers to start and to kill, and the history of this test."""
    from assay.errors import UsageError
    from assay.trial import Trial

    bench, own, refused = None, {}, ""
    try:
        wanted = _wanted(request.node.get_closest_marker("assay"))
        own = {name: wanted.pop(name) for name in OF_TRIAL if name in wanted}
        bench = assay_benches(**wanted)
    except UsageError as error:
        refused = _in_pytest(str(error))
    if bench is None:
        pytest.fail(refused, pytrace=False)  # it is about the marker or an option: no line of any code is to blame
    with Trial.on(bench, tmp_path / "assay", **own) as trial:
        yield trial
