"""What a RabbitMQ holds for Celery: each database of a run is a virtual host, whose queues have ready and unacked ones.

RabbitMQ keeps no results: those of an app that stores them in Redis go to an embedded one beside it.
"""

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from assay.brokers.databases import UNREADABLE
from assay.brokers.fakeredis import FakeredisBroker
from assay.brokers.served import Spawn
from assay.connections import Peer

if TYPE_CHECKING:
    from amqp import Channel, Connection

DELAYS = "celery_delayed_"


class Queue(NamedTuple):
    """How many messages it has: ready to be delivered, and delivered but not acknowledged."""

    ready: int
    unacked: int


class VirtualHosts:
    """Reads virtual hosts by number; a base of the brokers, which say how they count and how they are reached."""

    key_prefix = ""
    one_database = False
    tls: Mapping[str, Any] = {}

    def __init__(self, folder: Path, spawn: Spawn) -> None:
        self._results_folder = folder / "results"
        self._spawn = spawn
        self._results: FakeredisBroker | None = None
        self._one_at_a_time = threading.Lock()

    def _queues(self, db: int) -> dict[str, Queue]:
        """Of each queue, as it is now."""
        raise NotImplementedError

    def _connection(self, db: int) -> "Connection":
        """A new one, open."""
        raise NotImplementedError

    @contextlib.contextmanager
    def _channel(self, db: int) -> "Iterator[Channel]":
        with contextlib.closing(self._connection(db)) as connection:
            yield connection.channel()

    def results_url(self, db: int) -> str:
        with self._one_at_a_time:
            if self._results is None:
                self._results = FakeredisBroker(self._results_folder, self._spawn)
        return self._results.url(db)

    def depths(
        self, db: int, queues: Sequence[str], priority_steps: Sequence[int], sep: str, global_keyprefix: str
    ) -> dict[str, int]:
        """{queue: messages ready in it}; a queue of RabbitMQ is one whatever its priorities.

        Also of those in which Celery lets messages wait for their time (kombu/transport/native_delayed_delivery.py).
        """
        found = self._queues(db)
        waiting = {name: queue.ready for name, queue in found.items() if name.startswith(DELAYS) and queue.ready}
        return {queue: found[queue].ready if queue in found else 0 for queue in queues} | waiting

    def queued(
        self, db: int, queues: Sequence[str], priority_steps: Sequence[int], sep: str, global_keyprefix: str
    ) -> dict[str, list[str]]:
        """{queue: ids of the tasks ready in it}. They are taken and given back, which marks them as redelivered."""
        depths = self.depths(db, queues, priority_steps, sep, global_keyprefix)
        if not any(depths.values()):
            return {queue: [] for queue in depths}
        held: dict[str, list[str]] = {queue: [] for queue in depths}
        with self._channel(db) as channel:
            for queue in [queue for queue, depth in depths.items() if depth]:
                while (message := channel.basic_get(queue)) is not None:
                    headers = message.headers or {}
                    found = headers.get("id") or message.properties.get("correlation_id") or UNREADABLE
                    held[queue].append(str(found))
        return held

    def unacked(self, db: int, global_keyprefix: str = "") -> list[str]:
        """`?` for each message that was delivered and not yet acknowledged: AMQP does not tell which ones they are."""
        return [UNREADABLE] * sum(queue.unacked for queue in self._queues(db).values())

    def stale(self, db: int, since_ns: int) -> bool:
        """Whether `unacked` may tell what was before this moment."""
        return False

    def taking(self, db: int) -> int:
        """Messages are unacknowledged as soon as they are sent."""
        return 0

    def unblock(self, clients: Iterable[Peer]) -> int:
        """Nobody waits so: messages are sent to consumers, and are theirs when they were."""
        return 0

    def _flush_results(self, db: int) -> None:
        if self._results is not None:
            self._results.flush(db)

    def _stop_results(self) -> str:
        return self._results.stop() if self._results is not None else ""
