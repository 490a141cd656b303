"""The pytest plugin as a user meets it: pytest in a process of its own, on a project of two files."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytest_plugins = ["pytester"]
APP = """
from celery import Celery
app = Celery("shop", broker="redis://localhost:6379/0", backend="redis://localhost:6379/1")
app.conf.update(task_acks_late={late}, task_reject_on_worker_lost=True)
@app.task
def charge(amount): return amount
"""


def example(page: str) -> str:
    """The first test of a page, as its reader copies it."""
    found = re.search(r"```python\n(import pytest\n.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    assert found, f"{page} has no test"
    return found[1]


TEN_LINES = example("docs/pytest.md")
UNPUBLISHABLE = """
app.conf.task_create_missing_queues = False
@app.task(queue="nowhere")
def report(): pass
"""
INI = "[pytest]\naddopts = --strict-markers\n"


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyfile(shop=APP.format(late=True), test_shop=TEN_LINES)
    pytester.makefile(".ini", pytest=INI)
    return pytester


def ran(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest_subprocess("-p", "no:cacheprovider", *arguments, timeout=120)


@pytest.mark.parametrize("page", ["docs/pytest.md", "README.md", "README.zh-CN.md"])
def test_given_the_documented_test_when_a_child_is_killed_mid_task_then_its_recovery_is_seen(
    project: pytest.Pytester, page: str
) -> None:
    project.makepyfile(test_shop=example(page))
    ran(project).assert_outcomes(passed=1)


def test_given_early_acknowledgement_then_it_is_red_and_the_failure_tells_the_story(project: pytest.Pytester) -> None:
    project.makepyfile(shop=APP.format(late=False))
    result = ran(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*violated: charge[[]*[]] is lost: *acknowledged at *the fault: SIGKILL child at body_middle*",
            "*harness*FAULT landed: SIGKILL child*at point body_middle*",
            "*main notices that the child is gone*",
            "*the result backend says: FAILURE*",
            "*run folder: *assay*",
        ]
    )


def test_given_a_message_that_the_app_cannot_publish_then_a_test_that_forgets_it_is_red(
    project: pytest.Pytester,
) -> None:
    project.makepyfile(
        shop=APP.format(late=True) + UNPUBLISHABLE,
        test_shop="""
import pytest
from assay.checkers import Delivery
@pytest.mark.assay(app="shop:app")
def test_report(assay_cluster):
    assay_cluster.start_worker()
    assay_cluster.send("shop.report")
    assay_cluster.send("shop.charge")
    assay_cluster.check(Delivery(contract="at_least_once"))
""",
    )
    result = ran(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*violated: report[[]*[]] could not be published: QueueNotFound: *"])


def test_given_nobody_who_could_take_a_message_then_the_test_is_told_what_it_left_out(
    project: pytest.Pytester,
) -> None:
    project.makepyfile(
        test_shop="""
import pytest
from assay.checkers import Delivery
pytestmark = pytest.mark.assay("shop:app")

def test_without_recover(assay_cluster):
    assay_cluster.start_worker()
    charge = assay_cluster.send("shop.charge", hold="body_middle")
    assay_cluster.strike(charge, "SIGKILL main", "body_middle")
    assay_cluster.check(Delivery(contract="at_least_once"))

def test_with_recover(assay_cluster):
    assay_cluster.start_worker()
    charge = assay_cluster.send("shop.charge", hold="body_middle")
    assay_cluster.strike(charge, "SIGKILL main", "body_middle")
    assay_cluster.recover()
    assay_cluster.check(Delivery(contract="at_least_once"))

def test_without_worker(assay_cluster):
    assay_cluster.send("shop.charge")
    assay_cluster.check(Delivery(contract="at_least_once"))

def test_with_an_idle_worker(assay_cluster):
    assay_cluster.start_worker(queues=["elsewhere"])
    assay_cluster.settle(timeout_s=0.5)
    assay_cluster.send("shop.charge")
    assay_cluster.settle(timeout_s=1)
    assay_cluster.check(Delivery(contract="at_least_once"))
""",
    )
    result = ran(project, "--durations=0")
    result.assert_outcomes(passed=1, failed=3)
    result.stdout.fnmatch_lines(
        [
            "*unknown: charge[[]*[]] is unacknowledged, its worker w1 is gone, *let pass: call recover()",
            "*unknown: charge[[]*[]] waits in its queue, and no worker was started: call start_worker()",
            "*violated: charge[[]*[]] is stuck: it waits in queue celery; no attempt began",
        ]
    )
    waited = re.findall(r"([\d.]+)s call", result.stdout.str())
    assert max(map(float, waited)) < 20, "it was waited for what could not come"


def test_given_a_hold_that_is_forgotten_then_the_test_is_told_how_to_let_go(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_shop="""
import pytest
from assay.script import Act
pytestmark = pytest.mark.assay("shop:app")

def test_forgotten(assay_cluster):
    assay_cluster.start_worker()
    assay_cluster.outcome(assay_cluster.send("shop.charge", hold="body_middle"))

def test_released(assay_cluster):
    assay_cluster.start_worker()
    charge = assay_cluster.send("shop.charge", hold="body_middle")
    assay_cluster.release(charge)
    assert assay_cluster.outcome(charge) == "ok"

def test_unknown_parameter(assay_cluster):
    assay_cluster.send("shop.charge", Act(raises=ValueError))

def test_unknown_value(assay_cluster):
    assay_cluster.send("shop.charge", Act(ends="raises"))
""",
    )
    result = ran(project)
    result.assert_outcomes(passed=1, failed=3)
    result.stdout.fnmatch_lines(
        [
            "E *UsageError: charge[[]*[]] still stands at its hold, body_middle: let it go by release(invocation), *",
            "E *TypeError: Unexpected keyword argument 'raises'",
            "E *Act takes ends, by, error, work_s, *",
            "E *UsageError: *'raises' - at `$.ends`; Act takes ends, *",
        ]
    )
    result.stdout.no_fnmatch_line("*def send(*")  # none of the plugin's own lines


def test_given_a_marker_with_an_unknown_key_then_nothing_else_is_tested_instead(project: pytest.Pytester) -> None:
    project.makepyfile(test_shop=TEN_LINES.replace('app="shop:app"', 'app="shop:app", brokr="redis"'))
    result = ran(project)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["@pytest.mark.assay: unknown key brokr; did you mean broker[?]"])
    assert "plugin.py" not in result.stdout.str()


def test_given_usage_errors_then_each_is_one_line_that_names_what_pytest_has(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_shop="""
import pytest

def test_an_option(assay_cluster): pass

@pytest.mark.assay(queues=["mail"])
def test_a_key_of_the_file(assay_cluster): pass

@pytest.mark.assay("shop:app", "solo")
def test_two_without_names(assay_cluster): pass

@pytest.mark.assay("shop.py:app")
def test_a_file(assay_cluster): pass

@pytest.mark.assay("shop:app", concurrency="two")
def test_another_type(assay_cluster): pass

@pytest.mark.assay("nowhere:app")
def test_no_module(assay_cluster): pass
"""
    )
    result = ran(project, "--assay-workdir=nope", "-k", "option")
    result.assert_outcomes(errors=1, deselected=5)
    result.stdout.fnmatch_lines(["--assay-workdir: workdir: */nope is not a folder"])
    result = ran(project, "-k", "not option")
    result.assert_outcomes(errors=5, deselected=1)
    result.stdout.fnmatch_lines(
        [
            "@pytest.mark.assay: queues is set in assay.toml or *",
            "@pytest.mark.assay takes the app alone without a name: *",
            "--assay-app shop.py:app names a file, *: say --assay-app shop:app",
            "@pytest.mark.assay: concurrency: expected int, got str",
            "there is no module 'nowhere': * or give --assay-workdir",
        ]
    )
    assert "plugin.py" not in result.stdout.str()


@pytest.mark.parametrize("option", ["command line", "ini file", "assay.toml"])
def test_given_the_app_named_elsewhere_then_no_marker_is_needed(project: pytest.Pytester, option: str) -> None:
    project.makepyfile(test_shop=TEN_LINES.replace('@pytest.mark.assay(app="shop:app")', ""))
    given = []
    if option == "command line":
        given = ["--assay-app=shop:app"]
    elif option == "ini file":
        project.makefile(".ini", pytest=INI + "assay_app = shop:app\n")
    else:
        project.makefile(".toml", assay='app = "shop:app"\n')
    ran(project, *given).assert_outcomes(passed=1)


def test_given_no_app_or_a_wrong_one_then_one_line_tells_what_to_do(project: pytest.Pytester) -> None:
    project.makepyfile(test_shop=TEN_LINES.replace('@pytest.mark.assay(app="shop:app")', ""))
    result = ran(project)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no app is named*--assay-app*"])
    result = ran(project, "--assay-app=shopp:app")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*there is no module 'shopp'*"])


def test_given_two_tests_then_the_app_is_imported_once_and_each_has_a_clean_broker(project: pytest.Pytester) -> None:
    project.makepyfile(
        shop=APP.format(late=True) + "\nopen('imports.txt', 'a').write('x')\n",
        test_shop="""
import pytest
pytestmark = pytest.mark.assay(app="shop:app", concurrency=1)

@pytest.mark.parametrize("number", range(3))
def test_one(assay_cluster, number):
    assay_cluster.publish("shop.charge", args=[number])
    assert len(assay_cluster.invocations) == 1
    assay_cluster.start_worker()
    assay_cluster.settle()
    assert sum(event.kind == "received" for event in assay_cluster.history) == 1

def test_two(assay_cluster):
    assay_cluster.publish("shop.charge", args=[1])  # and no worker: it stays
""",
    )
    ran(project).assert_outcomes(passed=4)
    assert (project.path / "imports.txt").read_text() == "x"


def test_given_xdist_then_each_of_its_workers_has_a_bench_of_its_own(project: pytest.Pytester) -> None:
    again = TEN_LINES.replace("test_a_killed", "test_again_a_killed")
    project.makepyfile(test_again=again)
    ran(project, "-n", "2").assert_outcomes(passed=2)


def test_given_pytest_django_and_pytest_celery_then_their_fixtures_work_beside(project: pytest.Pytester) -> None:
    project.makepyfile(
        site_settings="""
SECRET_KEY = "x"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
""",
        test_beside="""
import pytest

@pytest.mark.django_db
def test_database(db, settings):
    assert settings.SECRET_KEY == "x"

def test_all_are_loaded(pytestconfig):
    for name in ("django", "celery", "xdist", "assay"):
        assert pytestconfig.pluginmanager.hasplugin(name), name
""",
    )
    result = ran(project, "--ds=site_settings", "--fixtures")
    fixtures = {line.partition(" ")[0] for line in result.outlines}
    assert {"assay_cluster", "assay_benches", "db", "celery_setup"} <= fixtures
    result = ran(project, "--ds=site_settings")
    result.assert_outcomes(passed=3)


def test_given_a_suite_that_uses_no_fixture_then_neither_celery_nor_the_run_is_imported(
    project: pytest.Pytester,
) -> None:
    project.makepyfile(
        test_shop="""
import subprocess, sys
def test_nothing_is_loaded():
    code = "import assay.plugin, sys; print(sorted(m for m in sys.modules if m in ('celery', 'assay.run')))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
"""
    )
    ran(project).assert_outcomes(passed=1)
