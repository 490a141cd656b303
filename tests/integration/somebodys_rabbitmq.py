"""A RabbitMQ with its management API that stands for somebody's: users, virtual hosts, and what is in them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from amqp import Connection, Message

from assay.brokers.amqp_address import Address, connect, parse
from assay.brokers.ports import free_port
from assay.brokers.rabbitmq import RabbitBroker
from assay.brokers.rabbitmq_api import EVERYTHING, Api
from assay.brokers.served import Spawn
from assay.errors import UsageError
from assay.process import Supervisor
from assay.wait import wait_until

USERS = {"boss": "administrator", "lender": "management", "nobody": ""}
HOSTS = ("theirs", "lent", "full", "forbidden")


class Somebodys(RabbitBroker):
    """One node, which the run is told of by its address only."""

    plugins = ("rabbitmq_management",)

    def __init__(self, folder: Path, spawn: Spawn) -> None:
        self.management = f"http://127.0.0.1:{(port := free_port('127.0.0.1'))}"
        self.further = f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {port}\n"
        super().__init__(folder, spawn)
        self.api = Api(parse(f"{self.url(0)}?management={self.management}"))
        wait_until(self._serves_http, what="the management API", timeout_s=60.0, poll_s=0.05)
        for user, tags in USERS.items():
            self.api._ask("PUT", f"users/{user}", {"password": password(user), "tags": tags})
        for host in HOSTS:
            self.api.make(host)
            for user in USERS if host != "forbidden" else ():
                self.api._ask("PUT", f"permissions/{host}/{user}", EVERYTHING)
        self.fill("theirs")
        self.fill("full")

    def _serves_http(self) -> bool:
        try:
            return bool(self.api.version())
        except OSError:
            return False

    def address(self, user: str = "boss", host: str = "theirs") -> str:
        """What the run is given."""
        return f"amqp://{user}:{password(user)}@{self.host}:{self.port}/{host}?management={self.management}"

    def parsed(self, user: str = "boss", host: str = "theirs") -> Address:
        return parse(self.address(user, host))

    def open(self, host: str) -> Connection:
        return connect(self.parsed(host=host), host)

    def fill(self, host: str) -> None:
        """A queue of the name that Celery's has, with a message in it."""
        with self.open(host) as connection:
            channel = connection.channel()
            channel.queue_declare("celery", durable=True, auto_delete=False)
            channel.basic_publish(Message("theirs", delivery_mode=2), routing_key="celery")

    def hosts(self) -> set[str]:
        """Virtual hosts that are not the node's own first ones."""
        return {name for name in self.api.virtual_hosts() if name not in ("/", "assay-0")}

    def holds(self, host: str) -> dict[str, int]:
        """{queue or exchange: messages, if it has any}"""
        found = {queue.name: queue.messages for queue in self.api.queues(host)}
        return found | dict.fromkeys(self.api.exchanges(host), 0)

    def must_be_as_before(self) -> None:
        assert self.hosts() == set(HOSTS)
        assert [self.holds(host) for host in HOSTS] == [{"celery": 1}, {}, {"celery": 1}, {}]


def password(user: str) -> str:
    return f"secret-of-{user}"


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as it:
        yield it


@pytest.fixture(scope="module")
def theirs(supervisor: Supervisor) -> Iterator[Somebodys]:
    """One for all tests. Skips where there is no RabbitMQ, except in CI."""
    try:
        it = Somebodys(supervisor.folder / "theirs", supervisor.spawn)
    except UsageError as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
    yield it
    it.stop()
