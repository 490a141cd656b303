"""A RabbitMQ that is given by URL: somebody's. Only what the run makes there is used, and it goes.

A user who may make virtual hosts has the run make its own, by a name that no other has, whatever the address's one
holds. Any other user lends the address's one, which must be empty, since a queue does not tell whose it is.
A process that outlives the harness removes it all where the harness cannot: see sweeper.py.
"""

import contextlib
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from assay.brokers import EXTERNAL_RABBITMQ, sweeper
from assay.brokers.amqp_address import connect, parse
from assay.brokers.quorum_ticks import Ticks
from assay.brokers.rabbitmq_admission import admission
from assay.brokers.rabbitmq_api import NO_API, QUORUM, Counted, Refused
from assay.brokers.rabbitmq_sweep import clear, drop_hosts
from assay.brokers.served import Spawn
from assay.brokers.virtual_hosts import Queue, VirtualHosts
from assay.errors import HarnessError, UsageError

if TYPE_CHECKING:
    from amqp import Channel, Connection

GIVEN_BACK_S = 2.0


class ExternalRabbitBroker(VirtualHosts):
    """Virtual hosts of a RabbitMQ that runs already. Raises UsageError when it cannot be used as the address says."""

    name = EXTERNAL_RABBITMQ
    pid = None

    def __init__(self, url: str, folder: Path, spawn: Spawn) -> None:
        super().__init__(folder, spawn)
        self._address = parse(url)
        self.shown = self._address.shown
        self.tls = self._address.tls
        self._api, self._version, self._prefix, self._queue_type = admission(self._address)
        self.one_database = not self._prefix
        self._made: set[int] = set()
        self._ticks: dict[int, Ticks] = {}
        if not self._prefix:
            self._must_be_one_server()  # or the sweeper would empty a virtual host of another server
        sweeper.start(sweeper.Order(url, self._prefix), self.shown, folder, spawn)
        if self._prefix:
            self._must_be_one_server()

    def _must_be_one_server(self) -> None:
        """What AMQP makes must be what the API shows: else nothing that it tells is of this broker."""
        self.url(0)
        try:
            with contextlib.closing(connect(self._address, self._host(0))) as connection:
                name = connection.channel().queue_declare(exclusive=True).queue
                shown = name in {queue.name for queue in self._api.queues(self._host(0))}
        except Exception:  # what was made there may not be here
            shown = False
        if not shown:
            if self._prefix:
                self.stop()
            raise UsageError(
                f"what is made at {self.shown} is not what {self._address.management} shows: "
                "is that the management API of this RabbitMQ?"
            )

    def _host(self, db: int) -> str:
        return f"{self._prefix}{db}" if self._prefix else self._address.virtual_host

    def url(self, db: int) -> str:
        """A virtual host of the run's own is made when it is first asked for."""
        with self._one_at_a_time:
            if self._prefix and db not in self._made:
                with self._asking():
                    self._api.make(self._host(db), self._queue_type)
            self._made.add(db)
        return self._address.url(self._host(db))

    def _connection(self, db: int) -> "Connection":
        with self._asking():
            return connect(self._address, self._host(db))

    def _listed(self, db: int) -> list[Counted]:
        with self._asking():
            return self._api.queues(self._host(db))

    def _queues(self, db: int) -> dict[str, Queue]:
        """Of a quorum queue AMQP tells how many are ready now; what there was besides at its last tick is unacked."""
        listed = self._listed(db)
        found = {each.name: Queue(each.messages_ready, each.messages_unacknowledged) for each in listed}
        if quorum := [each for each in listed if each.type == QUORUM]:
            with self._asking(), self._channel(db) as channel:
                for each in quorum:
                    ready = _ready(channel, each)
                    found[each.name] = Queue(ready, max(0, each.messages - ready))
        return found

    def queued(
        self, db: int, queues: Sequence[str], priority_steps: Sequence[int], sep: str, global_keyprefix: str
    ) -> dict[str, list[str]]:
        """As of every RabbitMQ. A quorum queue has again a moment later what was given back."""
        with self._asking():
            found = super().queued(db, queues, priority_steps, sep, global_keyprefix)
        until = time.monotonic() + GIVEN_BACK_S
        while time.monotonic() < until:
            now = self._queues(db)
            if all(now[queue].ready >= len(ids) for queue, ids in found.items() if ids and queue in now):
                break
        return found

    def stale(self, db: int, since_ns: int) -> bool:
        messages = {each.name: each.messages for each in self._listed(db) if each.type == QUORUM}
        if not messages:
            return False
        if db not in self._ticks:
            self._ticks[db] = Ticks(partial(self._make_mark, db), partial(self._delete_queue, db))
        return not self._ticks[db].newer(since_ns, messages)

    def _make_mark(self, db: int, name: str) -> None:
        from amqp import Message

        with self._asking(), self._channel(db) as channel:
            channel.queue_declare(name, durable=True, auto_delete=False, arguments={"x-queue-type": QUORUM})
            channel.basic_publish(Message("", delivery_mode=2), routing_key=name)

    def _delete_queue(self, db: int, name: str) -> None:
        with self._asking():
            self._api.delete_queue(self._host(db), name)

    def flush(self, db: int) -> None:
        """Remove all that a run has put there."""
        if db in self._made:
            self._made.remove(db)
            self._ticks.pop(db, None)
            with self._asking():
                if self._prefix:
                    self._api.drop(self._host(db))
                else:
                    clear(self._api, self._address)
        self._flush_results(db)

    def version(self) -> str:
        return self._version

    def alive(self) -> bool:
        try:
            with self._asking():
                return bool(self._api.version())
        except HarnessError:
            return False

    def stop(self) -> str:
        """Remove what the run made. Returns a sentence about queues that somebody else uses, and are left.

        Raises HarnessError where the broker does not answer, or does not do it.
        """
        from amqp import AMQPError

        self._stop_results()
        host = self._address.virtual_host
        try:
            if self._prefix:
                drop_hosts(self._api, self._prefix)
                return ""
            used = clear(self._api, self._address)
        except (Refused, *NO_API, AMQPError) as error:
            left = f"virtual hosts {self._prefix}*" if self._prefix else f"queues and exchanges in virtual host {host}"
            raise HarnessError(
                f"{self.shown} did not have the run's things removed ({error}): {left} may be left on it. "
                f"{'rabbitmqctl delete_vhost removes one' if self._prefix else 'Remove them'}"
            ) from error
        if not used:
            return ""
        return f"{self.shown} was empty before the run; somebody uses what is left there: {', '.join(used)}"

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        from amqp import AMQPError

        try:
            yield
        except (Refused, *NO_API, AMQPError) as error:
            raise HarnessError(f"the broker at {self.shown} does not answer: {error}") from error


def _ready(channel: "Channel", queue: Counted) -> int:
    """How many are. One whose leader does not answer within 250 ms is told as empty (rabbit_quorum_queue.erl, stat)."""
    for _ in range(1 + bool(queue.messages)):
        if ready := int(channel.queue_declare(queue.name, passive=True).message_count):
            return ready
    return 0
