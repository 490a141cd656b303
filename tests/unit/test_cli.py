"""The command: options reach the run, every error is one message with its exit code, nothing is noisy."""

import importlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner, Result
from report_by_hand import a_lost_row, a_red_report, a_report, a_row, an_unknown_row

from assay.cli import main
from assay.cli.telling import command_line
from assay.errors import HarnessError, UsageError
from assay.event import Event, Kind, encode
from assay.exits import say
from assay.report import Report
from assay.reports import json as report_json
from assay.reports.formats import FORMATS


class Run:
    """Stands in for `assay.run`: keeps what it was called with, and answers or raises what it was told."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.answer: Callable[[], Report] = lambda: a_report(a_row())

    def run(self, settings: Any, selection: Any, progress: Any) -> Report:
        self.calls.append((settings, selection))
        settings.out.mkdir(parents=True, exist_ok=True)
        (settings.out / "facts.json").write_text("{}")
        report = self.answer()
        progress.plan(len(report.results))
        for row in report.results:
            progress.started(f"{row.suite}.{row.scenario} {row.task}")
            progress.finished(row)
        return report

    def check_again(self, folder: Path) -> Report:
        self.calls.append(folder)
        return self.answer()

    def list_tasks(self, settings: Any) -> dict[str, str]:
        return {"shop.charge": f"queue default, of {settings.app}"}

    def raises(self, error: BaseException) -> None:
        def answer() -> Report:
            raise error

        self.answer = answer


def a_module(monkeypatch: pytest.MonkeyPatch, name: str, **members: Any) -> None:
    module = ModuleType(name)
    vars(module).update(members)
    monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Run]:
    fake = Run()
    for name in ("assay.run", "assay.reports.terminal"):
        importlib.import_module(name)  # it may not import what is replaced
    monkeypatch.chdir(tmp_path)
    a_module(monkeypatch, "assay.run", run=fake.run, check_again=fake.check_again, list_tasks=fake.list_tasks)
    for kind in ("scenario", "fault", "checker"):
        a_module(monkeypatch, f"assay.{kind}", registry=lambda kind=kind: {f"acks_late.{kind}": f"about {kind}"})
    monkeypatch.setitem(os.environ, "COLUMNS", "100")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return fake


def assay(*args: str) -> Result:
    return CliRunner().invoke(main, list(args), prog_name="assay")


@pytest.mark.parametrize(
    ("report", "code", "last"),
    [
        (a_report(a_row()), 0, "HELD, exit code 0: every promise that was put to the test held"),
        (a_red_report(), 1, "VIOLATED, exit code 1: a promise of the configuration was broken"),
        (a_report(an_unknown_row()), 3, "UNKNOWN, exit code 3: something could not be judged"),
        (a_report(), 3, "UNKNOWN, exit code 3"),
        (a_report(a_row(), a_lost_row(known="celery#1")), 0, "HELD, exit code 0"),
    ],
)
def test_the_verdict_is_the_exit_code(fake: Run, report: Report, code: int, last: str) -> None:
    fake.answer = lambda: report
    result = assay("run", "-A", "shop")

    assert result.exit_code == code
    assert result.stdout.splitlines()[-1].startswith(last)
    assert "Traceback" not in result.output


def test_options_reach_the_run(fake: Run, tmp_path: Path) -> None:
    line = "run -A shop --suite acks_late --task shop.* --task blog.* --scenario *.scen* --broker redis --pool threads"
    assay(*line.split(), "--jobs", "3", "--out", "there", "--cold", "--live", "--each-task", "--workdir", ".")
    settings, selection = fake.calls[0]

    assert (settings.app, settings.broker, settings.pool, settings.jobs) == ("shop", "redis", "threads", 3)
    assert (settings.out, settings.workdir) == (tmp_path / "there", tmp_path)
    assert (settings.cold, settings.bodies, settings.each_task) == (True, "live", True)
    assert selection.suites == ("acks_late",)
    assert (selection.tasks, selection.scenarios) == (("shop.*", "blog.*"), ("*.scen*",))


def test_the_file_says_what_the_command_line_does_not(fake: Run, tmp_path: Path) -> None:
    (tmp_path / "assay.toml").write_text('app = "shop"\ntasks = ["shop.*"]\ncold = true\nbodies = "live"\njobs = 7')
    assay("run", "--jobs", "2")
    settings, selection = fake.calls[0]

    assert (settings.cold, settings.bodies, settings.jobs, selection.tasks) == (True, "live", 2, ("shop.*",))


def test_the_run_folder_holds_the_report_and_the_summary(fake: Run, tmp_path: Path) -> None:
    assay("run", "-A", "shop", "--out", "there")

    assert report_json.read(tmp_path / "there").results[0].task == "shop.charge"
    assert (tmp_path / "there/report.md").read_text().startswith("## ✅ Assay: held")


def test_files_are_written_where_they_were_asked_for(fake: Run, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assay("run", "-A", "shop", "--json", "a/r.json", "--junit", "a/r.xml")

    assert json.loads((tmp_path / "a/r.json").read_text())["verdict"] == "held"
    assert (tmp_path / "a/r.xml").read_text().startswith("<?xml")


def test_a_stdout_that_is_full_costs_nobody_the_report_or_the_other_file(
    fake: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(text: str, *, error: bool = False) -> None:
        if not error:
            raise UsageError("stdout cannot be written: No space left on device")
        say(text, error=True)

    monkeypatch.setattr("assay.cli.telling.say", full)
    result = assay("run", "-A", "shop", "--json", "-", "--junit", "r.xml")

    assert result.exit_code == 2
    assert "HELD, exit code 0" in result.stderr
    assert Path("r.xml").exists()


def test_a_file_that_is_full_costs_nobody_the_report(fake: Run) -> None:
    result = assay("run", "-A", "shop", "--json", "/dev/full", "--junit", "r.xml")

    assert result.exit_code == 2
    assert "HELD, exit code 0" in result.stdout
    assert result.stderr.splitlines()[-1] == "assay: /dev/full cannot be written: No space left on device"
    assert Path("r.xml").exists()


def test_json_on_stdout_is_all_there_is_on_stdout(fake: Run) -> None:
    result = assay("run", "-A", "shop", "--json", "-")

    assert json.loads(result.stdout)["results"][0]["task"] == "shop.charge"
    assert "HELD, exit code 0" in result.stderr


def test_progress_is_plain_lines_on_stderr_without_a_terminal(fake: Run) -> None:
    result = assay("run", "-A", "shop")

    assert "[1/1] held      acks_late.main_killed  shop.charge: recovered in 0.4 s" in result.stderr
    assert "\x1b" not in result.output


def test_a_password_in_an_address_is_not_kept(fake: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    args = ["run", "-A", "shop", "--broker", "redis://me:secret@host:6379/3", "--out", "there"]
    monkeypatch.setattr(sys, "argv", ["assay", *args])
    fake.answer = lambda: a_report(a_row(), command="")
    result = assay(*args)

    assert report_json.read(tmp_path / "there").command == (
        "assay run -A shop --broker redis://me:***@host:6379/3 --out there"
    )
    assert "secret" not in result.output


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("amqp://u:pa/ss@h//", "amqp://u:***@h//"),
        ("--broker=redis://:p@ss@h/0", "--broker=redis://:***@h/0"),
        ("redis://to/ken@h/0", "redis://***@h/0"),
        ("redis://h/0?virtual_host=2&password=abcPW'", "'redis://h/0?virtual_host=2&password=***'"),
        ("azureblockblob://Name=x;AccountKey=TOPKEY==;A=b", "'azureblockblob://Name=x;AccountKey=***;A=***'"),
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("*.charge;x=1", "'*.charge;x=1'"),
    ],
)
def test_of_an_address_that_was_typed_only_what_is_no_secret_is_kept(
    typed: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["assay", "run", typed])
    assert command_line() == f"assay run {shown}"


BAD = [
    ("run", "no app is named: say -A APP"),
    ("run -A shop --suite", "option '--suite' requires an argument"),
    ("run -A shop --nope", "no such option --nope (see assay run --help)"),
    ("run --tasks x", "no such option --tasks; did you mean --task? (see assay run --help)"),
    ("run --scenarios x", "no such option --scenarios; did you mean --scenario?"),
    ("run --suites x", "no such option --suites; did you mean --suite?"),
    ("run --brokers redis", "no such option --brokers; did you mean --broker?"),
    ("run --job 3", "no such option --job; did you mean --jobs?"),
    ("run --senario x", "no such option --senario; did you mean --scenario?"),
    ("chaos --fault sigterm", "no such option --fault; did you mean --faults?"),
    (
        "chaos --scenario x",
        "no such option --scenario; it is one of assay run, assay gate, assay blame, assay against (see assay chaos",
    ),
    ("replay x --time 3", "no such option --time; did you mean --times?"),
    ("shrink x --test y", "no such option --test; did you mean --tests?"),
    ("check --jsn x", "no such option --jsn; did you mean --json?"),
    ("broker --ports 1", "no such option --ports; did you mean --port?"),
    ("list --apps x", "no such option --apps; did you mean --app?"),
    ("--tasks x", "no such option --tasks; it is one of assay chaos (see assay --help)"),
    ("run --concurrency 2", "no such option --concurrency; concurrency is set in assay.toml or [tool.assay]"),
    ("run --jobs 0", "--jobs cannot be 0: it is a whole number from 1 (see assay run --help)"),
    ("chaos --intensity 2", "--intensity cannot be 2.0: it is a number from 0 to 1"),
    ("run --pool eventlet", "--pool cannot be eventlet; there are prefork, solo, threads"),
    ("list scenario", "KIND cannot be scenario; did you mean scenarios?"),
    ("run -A shop --pool gevent", "--pool cannot be gevent; there are prefork, solo, threads"),
    ("run -A shop --jobs 0", "--jobs cannot be 0"),
    ("run -A shop --broker fakredis", "unknown broker fakredis; did you mean fakeredis?"),
    ("run -A shop --workdir nowhere", "nowhere is not a folder"),
    ("run -A shop --config nowhere.toml", "nowhere.toml cannot be read: No such file or directory"),
    ("run -A shop --out full", "full is there already and is not empty"),
    ("run -A shop --json full", "invalid value for '--json': File 'full' is a directory"),
    ("run -A shop --junit full/something/j.xml", "full/something/j.xml cannot be written: there is no folder full/so"),
    ("run -A shop --json nowhere/x.json", "nowhere/x.json cannot be written: there is no folder nowhere"),
    ("check full --junit nowhere/x.xml", "full is not a run folder"),
    ("run -A shop --suite acks_lte", "no suite is named acks_lte; did you mean acks_late?"),
    ("run -A shop --scenario acks_late.scnario", "no scenario is named acks_late.scnario; did you mean acks_late.scen"),
    ("list scenarios -A nope", "--app is for the tasks, which need the app: assay list tasks --app ..."),
    ("list --workdir x", "--workdir is for the tasks, which need the app"),
    ("rnu", "no such command 'rnu'"),
    ("list fruits", "KIND cannot be fruits; did you mean suites?"),
    ("list tasks", "no app is named"),
    ("check", "missing argument 'RUN'"),
    ("check nowhere", "nowhere is not a run folder: there is no such folder"),
    ("check empty", "empty is not a run folder: it holds no report.json"),
    ("show nowhere 3f", "nowhere is not a run folder"),
    ("check assay.toml", "assay.toml is not a run folder: there is no such folder"),
    ("broker --broker reddis", "unknown broker reddis; did you mean redis?"),
    ("broker --port 70000", "--port cannot be 70000: it is a whole number from 0 to 65535"),
]


@pytest.mark.parametrize(("line", "told"), BAD)
def test_bad_input_gives_one_clear_message_and_exit_2(fake: Run, tmp_path: Path, line: str, told: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/something").touch()
    (tmp_path / "empty").mkdir()
    result = assay(*line.split())

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("assay: ")
    assert result.stderr.count("assay: ") == 1
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert fake.calls == []
    assert not (tmp_path / "nowhere").exists()


def test_a_user_error_inside_the_run_is_one_message(fake: Run) -> None:
    fake.raises(UsageError("shop cannot be imported: No module named 'shop'"))
    result = assay("run", "-A", "shop")

    assert result.exit_code == 2
    assert result.stderr == "assay: shop cannot be imported: No module named 'shop'\n"


def test_a_broken_harness_tells_its_last_words_and_the_folder(fake: Run, tmp_path: Path) -> None:
    fake.raises(HarnessError("the zygote died with exit status 1; its last lines:\n  MemoryError"))
    result = assay("run", "-A", "shop", "--out", "there")

    assert result.exit_code == 4
    assert result.stderr == (
        "assay: the zygote died with exit status 1; its last lines:\n  MemoryError\n  recorded so far: there\n"
    )


def test_an_unexpected_error_keeps_its_traceback_in_the_run_folder(fake: Run, tmp_path: Path) -> None:
    fake.raises(KeyError("x"))
    result = assay("run", "-A", "shop", "--out", "there")

    assert result.exit_code == 4
    assert "a defect of Assay: KeyError: 'x'" in result.stderr
    assert "Traceback" not in result.stderr
    assert "Traceback" in (tmp_path / "there/crash.txt").read_text()


def test_an_unexpected_error_of_another_command_keeps_its_traceback_too(fake: Run, tmp_path: Path) -> None:
    report_json.write(a_report(), tmp_path / "there" / report_json.NAME)
    fake.raises(ZeroDivisionError("x"))
    result = assay("check", "there")

    assert result.exit_code == 4
    assert "Traceback" in Path(result.stderr.split("traceback: ")[1].strip()).read_text()


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "inter")]
)
def test_a_stopped_run_says_what_is_kept(fake: Run, tmp_path: Path, number: int, code: int, word: str) -> None:
    def stop() -> Report:
        os.kill(os.getpid(), number)
        signal.sigtimedwait([], 5)
        raise AssertionError("the signal did not stop the run")

    fake.answer = stop
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    try:
        result = assay("run", "-A", "shop", "--out", "there")
    finally:
        signal.signal(signal.SIGINT, before)

    assert result.exit_code == code
    assert result.stderr.startswith(f"assay: {word}")
    assert result.stderr.endswith("there is no verdict\n  recorded so far: there\n")
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.parametrize("command", ["run -A shop", "broker"])
def test_another_system_is_told_what_is_missing(fake: Run, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    result = assay(*command.split())

    assert result.exit_code == 2
    assert "Assay runs on Linux; darwin lacks /proc, pidfd and PR_SET_PDEATHSIG" in result.stderr


def test_check_judges_the_newest_run_of_a_folder_and_changes_nothing(fake: Run, tmp_path: Path) -> None:
    report_json.write(a_report(), tmp_path / "runs/1" / report_json.NAME)
    before = (tmp_path / "runs/1/report.json").read_text()
    fake.answer = a_red_report
    result = assay("check", "runs", "--json", "again.json")

    assert (result.exit_code, fake.calls) == (1, [Path("runs/1")])
    assert result.stderr == "assay: runs/1 is the newest run in runs\n"
    assert assay("check", "runs/1").stderr == ""
    assert (tmp_path / "runs/1/report.json").read_text() == before
    assert json.loads((tmp_path / "again.json").read_text())["verdict"] == "violated"


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("scenarios", "acks_late.scenario  about scenario\n"),
        ("faults", "acks_late.fault  about fault\n"),
        ("checkers", "acks_late.checker  about checker\n"),
        ("suites", "acks_late  1 scenario\n"),
        ("tasks -A shop", "shop.charge  queue default, of shop\n"),
    ],
)
def test_list_names_what_there_is(fake: Run, what: str, told: str) -> None:
    result = assay("list", *what.split())

    assert (result.exit_code, result.stdout) == (0, told)


def test_list_without_a_kind_names_all_but_the_tasks(fake: Run) -> None:
    result = assay("list")

    assert [line for line in result.stdout.splitlines() if line and line[0] != " "] == [
        "suites",
        "scenarios",
        "faults",
        "checkers",
        "rules",
    ]


def test_show_tells_a_life(fake: Run, tmp_path: Path) -> None:
    events = tmp_path / "there/cases/one/events"
    events.mkdir(parents=True)
    event = Event(1, Kind.PUBLISHED, 1, invocation="3f2a91c4", task="shop.charge", detail={"queue": "q"})
    (events / "1-0.jsonl").write_bytes(encode(event) + b"\n")
    result = assay("show", "there", "3f2")

    assert (result.exit_code, result.stdout) == (
        0,
        "3f2a91c4  shop.charge\n  +0.000 s  harness  published to queue q\n",
    )


def test_show_of_a_damaged_history_is_one_message(fake: Run, tmp_path: Path) -> None:
    events = tmp_path / "there/events"
    events.mkdir(parents=True)
    (events / "1-0.jsonl").write_bytes(b"nonsense\n")
    result = assay("show", "there", "3f2")

    assert result.exit_code == 2
    assert "is not an event of this version of Assay" in result.stderr


def test_broker_serves_what_was_asked_for(fake: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Any] = []
    a_module(monkeypatch, "assay.broker", serve_foreground=lambda name, port: served.append((name, port)))

    assert assay("broker", "--broker", "redis", "--port", "7000").exit_code == 0
    assert served == [("redis", 7000)]


def test_a_reader_that_went_away_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        say("nobody reads this\n")


def test_a_stream_without_unicode_still_gets_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    say("报表\n")

    assert raw.getvalue() == b"\\u62a5\\u8868\n"


def test_version_and_module_call() -> None:
    done = subprocess.run([sys.executable, "-m", "assay", "--version"], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("assay 0.")


STOPPED = """
import runpy, sys

class CtrlC:
    def find_spec(self, name, path=None, target=None):
        if name == "{module}":
            raise KeyboardInterrupt

sys.meta_path.insert(0, CtrlC())
sys.argv = ["assay", "list", "suites"]
runpy.run_module("assay")
"""


@pytest.mark.parametrize("module", ["click", "assay.exits", "assay.listing"])
def test_an_interrupt_while_the_command_is_imported_is_one_line(module: str) -> None:
    done = subprocess.run([sys.executable, "-c", STOPPED.format(module=module)], capture_output=True, text=True)

    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "assay: interrupted")


def test_the_command_imports_nothing_heavy() -> None:
    heavy = {"rich", "celery", "kombu", "redis", "fakeredis", "psutil", "django", "asyncio", "xml", "tomllib"}
    code = "import sys, assay.cli; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert heavy & set(done.stdout.split()) == set()


def test_the_bare_command_shows_its_help() -> None:
    found = assay()
    assert found.exit_code == 2
    assert found.stderr.startswith("Usage: assay [OPTIONS] COMMAND")
    assert "(see assay --help)" not in found.stderr


def test_every_format_is_written_where_its_option_says(fake: Run, tmp_path: Path) -> None:
    fake.answer = a_red_report
    names = list(FORMATS)
    assert assay("run", "-A", "shop", *(word for name in names for word in (f"--{name}", f"out.{name}"))).exit_code == 1
    assert [name for name in names if (tmp_path / f"out.{name}").stat().st_size < 100] == []


def test_only_one_file_can_be_stdout(fake: Run) -> None:
    result = assay("run", "-A", "shop", "--json", "-", "--sarif", "-")
    assert (result.exit_code, fake.calls) == (2, [])
    assert "only one file can be stdout" in result.stderr


def test_on_github_lines_are_annotated_and_the_summary_is_appended(
    fake: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.answer = a_red_report
    quiet = assay("run", "-A", "shop")
    assert "::error" not in quiet.stdout
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "step.md"))
    for _ in range(2):
        result = assay("run", "-A", "shop")
        assert "::error file=shop/celery.py,line=41,title=" in result.stdout
        assert result.stdout.endswith(quiet.stdout[-60:]), "the verdict is the last line"
    assert (tmp_path / "step.md").read_text().count("## ❌ Assay: violated") == 2
    piped = assay("run", "-A", "shop", "--json", "-", "--summary", "own.md")
    assert json.loads(piped.stdout)["verdict"] == "violated"
    assert "::error" in piped.stderr
    assert (tmp_path / "step.md").read_text().count("## ❌ Assay: violated") == 2, "it was asked for elsewhere"


def test_a_summary_that_cannot_be_appended_is_told_and_changes_no_verdict(
    fake: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "none" / "step.md"))
    result = assay("run", "-A", "shop")
    assert result.exit_code == 0
    assert "GITHUB_STEP_SUMMARY: " in result.stderr
    assert "cannot be written: No such file or directory" in result.stderr
