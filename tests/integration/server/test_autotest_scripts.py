"""Real scripts through AutoTest's tasks, in their own processes."""

import os
import signal
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from typing import Any

import psutil
import pytest
from celery.exceptions import SoftTimeLimitExceeded

import celery_app  # noqa: F401 - the app that the tasks are of
from assay.errors import HarnessError
from assay.wait import wait_until
from myapp.models import Execution, Status
from myapp.running.process import script_process
from myapp.running.workplace import scrubbed
from myapp.views.celery_views import execute_python_script

pytestmark = pytest.mark.django_db
SCRIPT = execute_python_script
SERVER = Path(__file__).parents[3] / "server"
GONE_S = 10.0


@pytest.fixture(autouse=True)
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of processes counts all of this user's, and other tests have theirs."""
    from autotest.environment import environment

    environment.cache_clear()
    monkeypatch.setenv("SCRIPT_PROCESSES", "4000")
    yield
    environment.cache_clear()


def ran(source: str, *, task_id: str = "", **given: Any) -> Execution:
    task_id = task_id or str(uuid.uuid4())
    SCRIPT.apply(kwargs={"source": source, **given}, task_id=task_id, throw=True)
    return Execution.objects.get(pk=task_id)


def gone(pid: int) -> bool:
    def dead() -> bool:
        try:
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    try:
        return bool(wait_until(dead, what=f"the end of {pid}", timeout_s=GONE_S))
    except HarnessError:
        return False


def test_output_and_exit_code_are_recorded() -> None:
    done = ran("import sys; print('hello', *sys.argv[1:]); sys.exit(3)", arguments=["a", "b c"])
    assert (done.output, done.exit_code, done.status) == ("hello a b c\n", 3, Status.FAILED)
    assert ran("print('well')").status == Status.SUCCEEDED


def test_bytes_that_no_database_takes_are_replaced() -> None:
    done = ran(r"import sys; sys.stdout.buffer.write(b'a\0b\xff\n')")
    assert done.output == "a\N{SYMBOL FOR NULL}b\N{REPLACEMENT CHARACTER}\n"


def test_output_is_capped_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPT_OUTPUT_KIB", "2")
    done = ran("print('x' * 100_000)")
    assert (len(done.output), done.output_truncated) == (2048, True)


def test_the_workers_environment_is_not_the_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SECRET_KEY": "leaked", "REDIS_URL": "redis://leaked:6379/0", "MY_TOKEN": "leaked"}.items():
        monkeypatch.setenv(name, value)
    done = ran("import os; print(sorted(os.environ.items()))", environment={"GIVEN": "this"})
    assert "leaked" not in done.output
    assert "('GIVEN', 'this')" in done.output


def test_a_script_that_takes_too_long_is_stopped() -> None:
    done = ran("import time; print('began', flush=True); time.sleep(60)", timeout_s=1)
    assert (done.status, done.exit_code) == (Status.TIMED_OUT, None)


def test_a_script_that_takes_too_much_memory_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPT_MEMORY_MIB", "128")
    done = ran("x = bytearray(500_000_000); print(2 + 2)")
    assert done.status == Status.FAILED
    assert done.output.endswith("MemoryError\n")


def test_a_script_that_writes_too_large_a_file_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPT_FILE_MIB", "1")
    done = ran("open('f', 'wb').write(bytes(5_000_000))")
    assert done.status == Status.FAILED
    assert "File too large" in done.output


def test_one_invocation_leaves_one_record_however_often_it_is_delivered(tmp_path: Path) -> None:
    """A finished one is not run again."""
    marks, task_id = tmp_path / "marks", str(uuid.uuid4())
    source = f"open({str(marks)!r}, 'a').write('x')"
    first, second = (ran(source, task_id=task_id) for _ in range(2))
    assert first.pk == second.pk
    assert marks.read_text() == "x"
    assert second.attempts.count() == 1


def test_an_attempt_whose_process_died_is_logged_as_lost_under_the_same_record() -> None:
    from types import SimpleNamespace

    from myapp.running.record import begin

    task_id = str(uuid.uuid4())
    request = SimpleNamespace(id=task_id, hostname="w1", retries=0, delivery_info={})
    begin(request, SCRIPT.name, "script_execution", {"source": "print(1)"})  # and no more: its process is killed
    done = ran("ignored", task_id=task_id)
    assert [attempt.status for attempt in done.attempts.order_by("number")] == [Status.LOST, Status.SUCCEEDED]
    assert done.output == "1\n"


FAMILY = """
import os, subprocess, sys, time
child = subprocess.Popen(["sleep", "120"], start_new_session=True)
print(os.getpid(), child.pid, flush=True)
time.sleep(120)
"""


def pids_of(output: str) -> list[int]:
    return [int(word) for word in output.split()]


@pytest.mark.parametrize("error", [SoftTimeLimitExceeded, KeyboardInterrupt, ValueError])
def test_whatever_ends_the_task_ends_the_script_and_what_it_started(error: type[BaseException], tmp_path: Path) -> None:
    script, heard = tmp_path / "family.py", []
    script.write_text(FAMILY)

    def hear(new: str) -> bool:
        heard.append(new)
        if "\n" in "".join(heard):
            raise error
        return True

    with pytest.raises(error), script_process(script, [], scrubbed({}, tmp_path), tmp_path, 60.0) as process:
        process.follow(hear, most=1000, every_s=0.05)
    pids = pids_of("".join(heard))
    assert len(pids) == 2
    assert [pid for pid in pids if not gone(pid)] == []


def test_a_worker_that_is_killed_takes_the_script_and_what_it_started_along(tmp_path: Path) -> None:
    (tmp_path / "family.py").write_text(FAMILY)
    (tmp_path / "worker.py").write_text(
        "import os, sys\n"
        f"sys.path.insert(0, {str(SERVER)!r})\n"
        "from pathlib import Path\n"
        "from myapp.running.process import script_process\n"
        "from myapp.running.workplace import scrubbed\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "with script_process(folder / 'family.py', [], scrubbed({}, folder), folder, 60.0) as process:\n"
        "    say = lambda new: (sys.stdout.write(new), sys.stdout.flush(), True)[2]\n"
        "    process.follow(say, most=1000, every_s=0.05)\n"
    )
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "autotest.settings", "SCRIPT_PROCESSES": "4000"}
    worker = subprocess.Popen([sys.executable, str(tmp_path / "worker.py")], stdout=subprocess.PIPE, text=True, env=env)
    watchdog = threading.Timer(30.0, worker.kill)
    watchdog.start()
    try:
        assert worker.stdout is not None
        pids = pids_of(worker.stdout.readline())
    finally:
        watchdog.cancel()
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        worker.stdout.close()
    assert len(pids) == 2
    assert [pid for pid in pids if not gone(pid)] == []
