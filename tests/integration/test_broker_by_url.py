"""A broker that is given by URL is somebody's: what a run made there goes, however it ends, and nothing else does."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from both_brokers import both, supervisor
from leftovers import GONE_S, Command, assay, running

from assay import supervisor as supervising
from assay.broker import start
from assay.brokers.served import ServedBroker
from assay.process import Supervisor
from assay.wait import wait_until

__all__ = ["both", "supervisor"]
APPS = Path(__file__).parents[1] / "chaos" / "apps"
DB = 7
# A sweeper says first that it is ready, and at SIGTERM whether the process that it was told of is dead.
SWEEPER = """
import os, select, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
other = os.pidfd_open(int(sys.argv[2]))
open(sys.argv[1], "w").write("ready")
signal.sigwait([signal.SIGTERM])
open(sys.argv[1], "w").write("dead" if select.select([other], [], [], 0)[0] else "alive")
if sys.argv[3:]:
    signal.pause()
"""


@pytest.fixture
def theirs(both: tuple[ServedBroker, ServedBroker]) -> Iterator[ServedBroker]:
    """Somebody's Redis, empty."""
    both[1].client(DB).flushall()
    yield both[1]
    both[1].client(DB).flushall()


def keys(broker: ServedBroker) -> list[str]:
    return sorted(key.decode() for key in broker.client(DB).keys("*"))


def arguments(broker: ServedBroker, tmp: Path, *scenarios: str) -> list[str]:
    wanted = [word for name in scenarios for word in ("--scenario", name)]
    return ["run", "-A", "twin:app", "--broker", broker.url(DB), "--out", str(tmp / "run"), *wanted]


def verdicts(tmp: Path) -> list[str]:
    return [row["verdict"] for row in json.loads((tmp / "run/report.json").read_text())["results"]]


def stopped_with_keys(run: Command, broker: ServedBroker) -> bool:
    """Whether the harness stands still, by SIGSTOP, while its workers have keys: it flushes after each scenario."""
    run.process.send_signal(signal.SIGSTOP)
    if any("unacked" in key for key in keys(broker)):
        return True
    run.process.send_signal(signal.SIGCONT)
    return False


def test_given_somebody_who_writes_meanwhile_then_his_keys_are_left_and_told_of(
    supervisor: Supervisor, theirs: ServedBroker, tmp_path: Path
) -> None:
    external = start(theirs.url(DB), tmp_path, supervisor.spawn)
    client = theirs.client(DB)
    client.lpush(f"{external.key_prefix}celery", "a message of the run")
    client.lpush("celery", "a message of theirs")
    client.set("celery-task-meta-1", "a result of theirs")
    assert external.depths(0, ["celery"], [0], "", external.key_prefix) == {"celery": 1}

    external.flush(0)
    assert keys(theirs) == ["celery", "celery-task-meta-1"]

    client.sadd(f"{external.key_prefix}_kombu.binding.celery", "x")
    told = external.stop()
    assert keys(theirs) == ["celery", "celery-task-meta-1"]
    assert "somebody else has written" in told
    assert "celery, celery-task-meta-1" in told


def test_given_a_message_of_somebody_else_in_a_queue_of_that_name_when_scenarios_run_then_nobody_takes_it(
    theirs: ServedBroker, tmp_path: Path
) -> None:
    with running(
        *arguments(theirs, tmp_path, "child_killed_middle", "exact_under_load"), cwd=APPS, tmp=tmp_path
    ) as run:
        wait_until(lambda: keys(theirs), what="the run's first key", timeout_s=60.0)
        theirs.client(DB).lpush("celery", "a message of theirs")
        _, said, err = run.end()
        run.must_leave_nothing()
    assert set(verdicts(tmp_path)) == {"held"}, said + err
    assert keys(theirs) == ["celery"]
    assert theirs.client(DB).lrange("celery", 0, -1) == [b"a message of theirs"]
    assert "somebody else has written to it, which is left: celery" in err


def test_given_a_run_by_url_when_it_is_over_then_nothing_is_left_in_the_database(
    theirs: ServedBroker, tmp_path: Path
) -> None:
    _, said, err = assay(*arguments(theirs, tmp_path, "fails_then_succeeds"), cwd=APPS, tmp=tmp_path)
    assert set(verdicts(tmp_path)) == {"held"}, said + err
    assert keys(theirs) == []
    assert "somebody else" not in err


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
def test_given_workers_at_work_when_the_harness_is_killed_then_only_what_is_not_of_the_run_is_left(
    theirs: ServedBroker, tmp_path: Path, number: signal.Signals
) -> None:
    with running(*arguments(theirs, tmp_path, "exact_under_load"), cwd=APPS, tmp=tmp_path) as run:
        wait_until(lambda: stopped_with_keys(run, theirs), what="a moment at which there are keys", timeout_s=60.0)
        theirs.client(DB).set("theirs", 1)
        run.process.send_signal(number)
        run.process.send_signal(signal.SIGCONT)
        run.process.communicate()
        run.must_leave_nothing()
    assert keys(theirs) == ["theirs"]


def test_given_a_sweeper_when_the_run_ends_then_it_is_told_after_all_others_are_dead(tmp_path: Path) -> None:
    said = tmp_path / "said"
    with Supervisor() as it:
        other = it.spawn([sys.executable, "-c", "import signal; signal.pause()"], log=tmp_path / "log")
        it.spawn(
            [sys.executable, "-c", SWEEPER, str(said), str(other.pid)],
            log=tmp_path / "log",
            sweeper=True,
            name="sweeper",
        )
        wait_until(lambda: said.exists() and said.read_text() == "ready", what="the sweeper", timeout_s=20.0)
    assert said.read_text() == "dead"


def test_given_a_sweeper_that_does_not_end_then_it_is_killed_in_time(tmp_path: Path) -> None:
    said = tmp_path / "said"
    with Supervisor() as it:
        argv = [sys.executable, "-c", SWEEPER, str(said), str(os.getpid()), "and stays"]
        sweeper = it.spawn(argv, log=tmp_path / "log", sweeper=True)
        wait_until(lambda: said.exists() and said.read_text() == "ready", what="the sweeper", timeout_s=20.0)
    assert said.read_text() == "alive"
    assert not psutil.pid_exists(sweeper.pid)
    assert supervising.SWEEP_S < GONE_S
