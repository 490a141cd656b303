"""Workers that others run: in networks, pids and clocks of their own and as another user, driven by commands alone."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from beds import APPS
from campaigns import not_held, rows
from leftovers import Command, assay

from assay.event import PIDS, Kind
from assay.history import History
from assay.wait import wait_until

BOX = Path(__file__).with_name("box.sh")
DAY_S = 86400
#: from what the kernel allows here: another network, pids of its own, a clock a day ahead, another user
WAYS = (
    f"unshare --net --pid --fork --mount-proc --time --monotonic {DAY_S} setpriv --reuid=65534 --regid=65534 "
    "--clear-groups --inh-caps=+dac_read_search --ambient-caps=+dac_read_search",
    f"unshare --user --map-root-user --net --pid --fork --mount-proc --time --monotonic {DAY_S}",
)
VERBS = ("stop", "kill", "pause", "resume")
#: a pause, a stop and a kill in the middle of bodies; and one kill, in the middle of a body
THREE = ("--seed", "154", "--tasks", "12", "--intensity", "0.2", "--faults", "sigkill-main,sigterm,sigstop")
ONE = ("--seed", "43", "--tasks", "8", "--intensity", "0.2", "--faults", "sigkill-main", "--workers", "1")


@pytest.fixture(scope="module")
def isolated() -> str:
    """The command before a worker's that puts it on a machine of its own."""
    for way in WAYS:
        if subprocess.run([*shlex.split(way), "true"], capture_output=True).returncode == 0:
            return way
    pytest.skip("this user may make no network, pid and time namespaces: unshare(1) says why")


class Elsewhere:
    """A machine of workers in `folder`, and a Redis that it reaches by a socket in the file system only."""

    def __init__(self, tmp: Path) -> None:
        self.tmp = tmp
        self.machine = tmp / "machine"
        self.machine.mkdir()
        self.socket = tmp / "redis.sock"
        self.url = f"redis+socket://{self.socket}?virtual_host=0"
        self.client = redis.Redis(unix_socket_path=str(self.socket))

    def table(self, **changes: str | float) -> None:
        """The configuration; a value of "" leaves a key out."""
        verbs = {verb: f"{BOX} {verb} {{worker}}" for verb in VERBS}
        table: dict[str, str | float] = {
            "start": f"{BOX} start {{worker}} {{recorder}}",
            **verbs,
            "list": f"{BOX} list",
        }
        table |= {"broker_there": f"redis+socket://{self.socket}?virtual_host=0", **changes}
        lines = [f"{key} = {json.dumps(value)}" for key, value in table.items() if value]
        text = "\n".join(['app = "far:app"', f"workdir = {json.dumps(str(APPS))}", "[workers]", *lines])
        (self.tmp / "assay.toml").write_text(text)

    def env(
        self, way: str = "", flips: str = "", options: str = "-I assay.recorder", app: str = "far:app"
    ) -> dict[str, str]:
        return {
            "BOX": str(self.machine),
            "BOX_APPS": str(APPS),
            "BOX_APP": "far:app",
            "BOX_PYTHON": sys.executable,
            "BOX_ISOLATED": way,
            "BOX_OPTIONS": options,
            "ASSAY_TEST_FLIP": flips,
        }

    def arguments(self, *more: str) -> tuple[str, ...]:
        return ("chaos", "--task", "charge", "--broker", self.url, "--out", str(self.tmp / "run"), *more)

    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads((self.tmp / "run/report.json").read_text())
        return report

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-2000:] for path in self.machine.glob("*/log"))


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    if shutil.which("redis-server") is None:
        pytest.fail("CI has a redis-server") if os.environ.get("CI") else pytest.skip("there is no redis-server")
    it = Elsewhere(tmp_path)
    for folder in (tmp_path, it.machine):
        folder.chmod(0o755)
    port = tmp_path / "port"
    options = ("--port", "0", "--unixsocket", str(it.socket), "--unixsocketperm", "777", "--save", "")
    server = subprocess.Popen(["redis-server", *options, "--dir", str(tmp_path)], stdout=port.open("w"))
    try:
        wait_until(it.socket.exists, what="redis-server")
        yield it
        assert it.client.keys("*") == [], "of the run nothing is left in the broker"
    finally:
        it.client.close()
        server.terminate()
        server.wait()


def test_workers_in_their_own_network_and_pids_a_day_ahead_are_struck_and_judged(
    elsewhere: Elsewhere, isolated: str
) -> None:
    elsewhere.table()
    status, said, err = assay(
        *elsewhere.arguments(*THREE), cwd=elsewhere.tmp, tmp=elsewhere.tmp, env=elsewhere.env(isolated)
    )
    assert status == 0, f"{said}\n{err}\n{elsewhere.logs()}"
    report = elsewhere.report()
    found = rows(report)
    assert not not_held(report), not_held(report)
    assert {"sigkill_main", "sigterm", "sigstop"} <= set(found)
    assert all(found[name]["landed"] > 0 for name in ("sigkill_main", "sigterm", "sigstop"))
    assert found["sigkill_main"]["outcome"] == "recovered"
    assert report["environment"]["workers"] == "elsewhere"
    assert any(
        f"clocks are +{DAY_S - 1}.9" in note or f"clocks are +{DAY_S}.0" in note for note in report["redirected"]
    )

    events = list(History(elsewhere.tmp / "run/chaos"))
    theirs = [event for event in events if event.host]
    assert {event.pid // PIDS for event in theirs if event.kind is Kind.WORKER_READY} == set(
        range(1, 1 + sum(event.kind is Kind.WORKER_READY for event in theirs))
    ), "each is process 1 of its own machine, and no two are the same here"
    assert {event.pid % PIDS for event in theirs if event.kind is Kind.WORKER_READY} == {1}
    first, last = events[0], events[-1]
    assert (last.at_ns - first.at_ns) / 1e9 < DAY_S / 2, "all on one clock"

    again, said, _ = assay("check", str(elsewhere.tmp / "run"), "--json", "-", cwd=elsewhere.tmp, tmp=elsewhere.tmp)
    assert again == 0
    assert [row["verdict"] for row in json.loads(said)["results"]] == [row["verdict"] for row in report["results"]]


def test_early_acknowledgement_elsewhere_loses_what_is_named_with_its_kill_by_way_of_a_folder(
    elsewhere: Elsewhere,
) -> None:
    shared = elsewhere.tmp / "shared"
    shared.mkdir()
    elsewhere.table(recorder=str(shared))
    env = elsewhere.env(flips="early", options="") | {"CELERY_LOADER": "assay.elsewhere.loader:Loader"}
    status, said, err = assay(*elsewhere.arguments(*ONE), cwd=elsewhere.tmp, tmp=elsewhere.tmp, env=env)
    assert status == 1, f"{said}\n{err}\n{elsewhere.logs()}"
    row = rows(elsewhere.report())["sigkill_main"]
    assert (row["verdict"], row["outcome"]) == ("violated", "lost")
    assert "the fault: SIGKILL main" in row["reason"]
    assert list(shared.iterdir()) == []


def test_a_worker_that_is_ended_by_hand_is_followed_and_told(elsewhere: Elsewhere) -> None:
    elsewhere.table(stop="", pause="", resume="")
    command = Command(elsewhere.arguments(*ONE), elsewhere.tmp, elsewhere.tmp, elsewhere.env())
    first = elsewhere.machine

    def ready() -> Path | None:
        return next((log.parent for log in first.glob("*/log") if " ready." in log.read_text()), None)

    try:
        wait_until(ready, what="a worker", timeout_s=120.0)
        worker = ready()
        assert worker is not None
        os.kill(int((worker / "outer").read_text()), signal.SIGKILL)
    finally:
        status, said, err = command.end()
    command.must_leave_nothing()
    assert status == 1, f"{said}\n{err}\n{elsewhere.logs()}"
    row = rows(elsewhere.report())["fresh_tasks"]
    assert (row["verdict"], row["reason"]) == (
        "violated",
        f"{worker.name[-2:]} ended by itself: it should have gone on",
    )
    assert rows(elsewhere.report())["sigkill_main"]["verdict"] == "held"


def test_a_kill_that_kills_nobody_has_not_landed_though_the_list_says_so(elsewhere: Elsewhere) -> None:
    elsewhere.table(kill=f"{BOX} hide {{worker}}")
    command = Command(elsewhere.arguments(*ONE), elsewhere.tmp, elsewhere.tmp, elsewhere.env())
    status, said, err = command.end()
    for process in command.processes():
        process.kill()
    command.must_leave_nothing()
    elsewhere.client.flushall()  # those that the list had hidden have written on
    assert status == 3, f"{said}\n{err}\n{elsewhere.logs()}"
    report = elsewhere.report()
    assert {row["verdict"] for row in report["results"]} == {"unknown"}
    assert rows(report)["sigkill_main"]["landed"] == 0
    assert any("after its kill, and it still says" in note for note in report["redirected"]), report["redirected"]
    assert "was killed and still recorded" in rows(report)["sigkill_main"]["reason"]


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("true {worker}", "workers: start exited with 0, and list does not name assay-"),
        (
            f"{BOX} start {{worker}} {{recorder}}",
            "is listed, and its recorder sent nothing for 4 s: is -I",
        ),
    ],
    ids=["starts nobody", "no recorder"],
)
def test_a_command_that_does_not_do_what_it_is_for_is_told_with_exit_code_2(
    elsewhere: Elsewhere, start: str, said: str
) -> None:
    elsewhere.table(timeout_s=4.0, start=start)
    arguments, env = elsewhere.arguments(*ONE), elsewhere.env(options="")
    status, _, err = assay(*arguments, cwd=elsewhere.tmp, tmp=elsewhere.tmp, env=env)
    assert (status, said in err.strip().splitlines()[-1]) == (2, True), err
