"""A result backend that is gone, stands still or is locked: who asks it is seen from outside, and served after."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay import broker as brokers
from assay.broker import OwnBroker
from assay.outage import Gone, Locked, Paused
from assay.process import Supervisor
from assay.wait import wait_until

ASKS = """
import sys, redis
print("began", flush=True)
print(redis.Redis.from_url(sys.argv[1]).incr("asked"), flush=True)
"""
WRITES = """
import sys, sqlite3
print("began", flush=True)
with sqlite3.connect(sys.argv[1], timeout=60) as database:
    database.execute("INSERT INTO results VALUES (1)")
print("stored", flush=True)
"""


@pytest.fixture(params=["fakeredis", "redis"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OwnBroker]:
    with Supervisor() as supervisor:
        broker = brokers.start(request.param, tmp_path, supervisor.spawn)
        assert isinstance(broker, OwnBroker)
        yield broker
        broker.stop()


def begun(program: str, argument: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", program, argument], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "began\n"
    return process


def test_given_a_server_that_stands_still_then_who_asks_is_seen_and_answered_when_it_goes_on(server: OwnBroker) -> None:
    outage = Paused(server)
    outage.begin()
    with begun(ASKS, server.url(0)) as process, begun("print('began'); input()", "") as other:
        wait_until(lambda: outage.felt(process.pid), what="the question to arrive")
        assert not outage.felt(other.pid)
        assert process.poll() is None
        outage.end()
        assert process.communicate(timeout=60)[0] == "1\n"
        other.kill()


def test_given_a_server_that_is_gone_then_another_one_serves_there_afterwards_and_is_empty(server: OwnBroker) -> None:
    with begun(ASKS, server.url(0)) as process:
        process.wait(60)
    outage, url = Gone(server), server.url(0)
    outage.begin()
    assert not server.alive()
    with begun(ASKS, url) as process:
        assert process.wait(60) != 0
    outage.end()
    assert server.url(0) == url
    with begun(ASKS, url) as process:
        assert process.communicate(timeout=60)[0] == "1\n", "nothing was kept"


def test_given_a_locked_database_then_who_writes_waits_and_is_seen_and_writes_afterwards(tmp_path: Path) -> None:
    file = str(tmp_path / "results.sqlite3")
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE results (id)")
    outage = Locked([file])
    outage.begin()
    with begun(WRITES, file) as process:
        wait_until(lambda: outage.felt(process.pid), what="the writer to wait")
        assert process.poll() is None
        outage.end()
        assert process.communicate(timeout=60)[0] == "stored\n"
    outage.end()  # nothing is held any more
    assert database.execute("SELECT count(*) FROM results").fetchone() == (1,)
