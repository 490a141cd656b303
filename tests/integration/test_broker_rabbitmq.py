"""The private RabbitMQ node: what a run asks of it, what it keeps, and that nothing of it is left."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from kombu import Connection, Producer, Queue

from assay.broker import OwnBroker, start
from assay.brokers import rabbitmq
from assay.brokers.rabbitmq import RabbitBroker
from assay.errors import UsageError
from assay.process import Supervisor
from assay.wait import wait_until

SERVE = "from assay.broker import serve_foreground; serve_foreground('rabbitmq')"


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as it:
        yield it


@pytest.fixture(scope="module")
def broker(supervisor: Supervisor) -> Iterator[RabbitBroker]:
    """One node for all tests. Skips where there is no RabbitMQ, except in CI."""
    try:
        it = start("rabbitmq", supervisor.folder / "rabbit", supervisor.spawn)
    except UsageError as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
    assert isinstance(it, RabbitBroker)
    yield it
    it.stop()


def filled(broker: RabbitBroker, db: int, kind: str, ids: tuple[str, ...]) -> str:
    """The name of a durable queue of that kind with a persistent message for each id."""
    with Connection(broker.url(db), transport_options={"confirm_publish": True}) as connection:
        queue = Queue(f"of-{kind}", channel=connection.channel(), queue_arguments={"x-queue-type": kind})
        queue.declare()
        producer = Producer(connection)
        for each in ids:
            headers = {"id": each, "task": "shop.charge"}
            producer.publish({}, routing_key=queue.name, headers=headers, delivery_mode=2)
    return str(queue.name)


@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_given_messages_then_depths_and_ids_and_the_unacknowledged_are_told_at_once(
    broker: RabbitBroker, kind: str
) -> None:
    name = filled(broker, 0, kind, ("a", "b", "c"))
    wait_until(lambda: broker.depths(0, [name], [], "", "") == {name: 3}, what="three messages")
    assert broker.queued(0, [name, "none"], [], "", "") == {name: ["a", "b", "c"], "none": []}
    with Connection(broker.url(0)) as connection:
        assert connection.channel().basic_get(name) is not None
        wait_until(lambda: broker.unacked(0) == ["?"], what="one that is not acknowledged")
        assert broker.depths(0, [name, "none"], [], "", "") == {name: 2, "none": 0}
    wait_until(lambda: broker.depths(0, [name], [], "", "") == {name: 3}, what="it to be given back")
    broker.flush(0)
    broker.url(0)
    assert broker.depths(0, [name], [], "", "") == {name: 0}


def test_given_two_databases_then_neither_sees_the_other(broker: RabbitBroker) -> None:
    name = filled(broker, 2, "classic", ("a",))
    broker.url(4)
    assert broker.depths(4, [name], [], "", "") == {name: 0}
    broker.flush(4)
    wait_until(lambda: broker.depths(2, [name], [], "", "") == {name: 1}, what="one message")
    broker.flush(2)


def test_given_results_in_redis_then_they_have_a_redis_beside_it_that_is_flushed_too(broker: RabbitBroker) -> None:
    url = broker.results_url(1)
    assert url.startswith("redis://127.0.0.1:")
    assert broker.results_url(3).rpartition("/")[0] == url.rpartition("/")[0]
    import redis

    with redis.Redis.from_url(url) as client:
        client.set("a", 1)
        broker.flush(1)
        assert client.get("a") is None


def test_given_a_node_that_is_killed_when_started_again_then_it_has_what_was_durable_or_nothing(
    broker: RabbitBroker,
) -> None:
    assert isinstance(broker, OwnBroker)
    assert broker.durable
    names = [filled(broker, 6, "classic", ("a",))]  # a quorum queue this young may be lost: RabbitMQ syncs it later
    address, pid = broker.url(6), broker.pid
    broker.restart(with_data=True)
    assert (broker.url(6), broker.pid == pid) == (address, False)
    assert broker.queued(6, names, [], "", "") == {name: ["a"] for name in names}
    broker.restart()
    assert broker.url(6) == address
    assert broker.depths(6, names, [], "", "") == dict.fromkeys(names, 0)
    assert broker.version()[0].isdigit()


def test_given_a_harness_that_is_killed_then_neither_node_nor_port_mapper_is_left(broker: RabbitBroker) -> None:
    serving = subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE, text=True)
    assert serving.stdout is not None
    assert serving.stdout.readline().startswith("amqp://")
    started = psutil.Process(serving.pid).children(recursive=True)
    assert {"beam.smp", "epmd"} <= {each.name() for each in started}
    serving.send_signal(signal.SIGKILL)
    serving.wait()
    serving.stdout.close()
    _, left = psutil.wait_procs(started, timeout=10.0)
    assert not left


def test_given_no_rabbitmq_then_the_places_and_the_remedies_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(rabbitmq, "PROGRAMS", ("/nowhere/rabbitmq-server",))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=r"no /nowhere/rabbitmq-server.*apt install rabbitmq-server.*--broker fake"):
        rabbitmq.find_server()
