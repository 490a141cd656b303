"""What a broker that speaks Redis's protocol holds for kombu: ready messages, unacknowledged ones, all other keys."""

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from assay.connections import Peer
from assay.errors import HarnessError

if TYPE_CHECKING:
    import redis

ANSWER_S = 10.0
CONNECT_S = 5.0
UNREADABLE = "?"


class Envelope(msgspec.Struct):
    """The part of a kombu message that names its task (kombu/transport/virtual/base.py, Channel.prepare_message)."""

    headers: dict[str, Any] = {}
    properties: dict[str, Any] = {}

    @property
    def task_id(self) -> str:
        return str(self.headers.get("id") or self.properties.get("correlation_id") or UNREADABLE)


ENVELOPE = msgspec.json.Decoder(Envelope)
UNACKED = msgspec.json.Decoder(tuple[Envelope, Any, Any])  # [message, exchange, routing key], as QoS.append writes it


def lists_of(queue: str, priority_steps: Sequence[int], sep: str, global_keyprefix: str) -> list[str]:
    """The lists that make up a queue, in the order in which they are consumed (kombu's Channel._q_for_pri)."""
    return [
        f"{global_keyprefix}{queue}{sep}{step}" if step else f"{global_keyprefix}{queue}" for step in priority_steps
    ]


class Databases:
    """Reads and clears databases by number; a base of the brokers, which say where they are."""

    name = ""
    key_prefix = ""
    one_database = False
    tls: Mapping[str, Any] = {}

    @property
    def pid(self) -> int | None:
        """The server's process; None where it is not ours."""
        return None

    def __init__(self) -> None:
        self._clients: dict[int, redis.Redis] = {}
        self._lock = threading.Lock()

    def url(self, db: int) -> str:
        """The address of one database, for Celery's `broker_url` or `result_backend`."""
        raise NotImplementedError

    def results_url(self, db: int) -> str:
        return self.url(db)

    def client_url(self, db: int) -> str:
        """The same for redis-py, which writes a Unix socket's address otherwise than kombu."""
        return self.url(db)

    def depths(
        self, db: int, queues: Sequence[str], priority_steps: Sequence[int], sep: str, global_keyprefix: str
    ) -> dict[str, int]:
        """{queue: messages ready in it}, over all of its priorities."""
        lists = [lists_of(queue, priority_steps or [0], sep, global_keyprefix) for queue in queues]
        with self._asking(db) as client, client.pipeline(transaction=False) as pipe:
            for name in (name for names in lists for name in names):
                pipe.llen(name)
            lengths = iter(pipe.execute())
        return {queue: sum(next(lengths) for _ in names) for queue, names in zip(queues, lists, strict=True)}

    def queued(
        self, db: int, queues: Sequence[str], priority_steps: Sequence[int], sep: str, global_keyprefix: str
    ) -> dict[str, list[str]]:
        """{queue: ids of the tasks ready in it, the next one first}; `?` for a message that is not Celery's."""
        lists = [lists_of(queue, priority_steps or [0], sep, global_keyprefix) for queue in queues]
        with self._asking(db) as client, client.pipeline(transaction=False) as pipe:
            for name in (name for names in lists for name in names):
                pipe.lrange(name, 0, -1)
            held = iter(pipe.execute())
        return {
            queue: [_task_id(message) for _ in names for message in reversed(next(held))]
            for queue, names in zip(queues, lists, strict=True)
        }

    def unacked(self, db: int, global_keyprefix: str = "", unacked_key: str = "unacked") -> list[str]:
        """Ids of the tasks that were delivered and not yet acknowledged."""
        with self._asking(db) as client:
            values: list[bytes] = client.hvals(global_keyprefix + unacked_key)  # type: ignore[assignment]
        return [_unacked_id(value) for value in values]

    def taking(self, db: int) -> int:
        """How many clients have asked for a message by BRPOP, which is over, and for nothing since.

        An external server may forbid the question: then none.
        """
        import redis

        with self._asking(db) as client, contextlib.suppress(redis.ResponseError):
            here = [each for each in client.client_list() if each["db"] == str(db)]
            return sum(each["cmd"] == "brpop" and "b" not in each["flags"] for each in here)
        return 0

    def stale(self, db: int, since_ns: int) -> bool:
        """Redis is asked each time."""
        return False

    def unblock(self, clients: Iterable[Peer]) -> int:
        """How many of the clients at these addresses waited in a blocking command, and do no more: it found nothing.

        What they were sent before has reached them when this returns. An external server may forbid it: then none.
        """
        import redis

        addresses = {str(each) for each in clients}
        with self._asking(0) as client, contextlib.suppress(redis.ResponseError):
            found = [each["id"] for each in client.client_list() if each["addr"] in addresses]
            with client.pipeline(transaction=False) as pipe:
                for each in found:
                    pipe.client_unblock(int(each))
                unblocked = sum(pipe.execute())
            client.ping()  # what was written in the same turn of the server's loop is sent by now
            return int(unblocked)
        return 0

    def flush(self, db: int) -> None:
        """Remove all that a run has put into the database."""
        with self._asking(db) as client:
            client.flushdb()

    def version(self) -> str:
        """The server's release."""
        with self._asking(0) as client:
            return str(client.info("server")["redis_version"])

    def client(self, db: int) -> "redis.Redis":
        """A redis-py client, shared by threads; made when first asked for, since importing redis-py takes 0.4 s."""
        import redis

        with self._lock:
            if db not in self._clients:
                self._clients[db] = redis.Redis.from_url(
                    self.client_url(db), socket_timeout=ANSWER_S, socket_connect_timeout=CONNECT_S
                )
            return self._clients[db]

    def disconnect(self) -> None:
        """Close all connections; the next question opens new ones."""
        with self._lock:
            clients, self._clients = self._clients, {}
        for client in clients.values():
            client.close()

    @contextlib.contextmanager
    def _asking(self, db: int) -> "Iterator[redis.Redis]":
        client = self.client(db)
        import redis

        try:
            yield client
        except redis.RedisError as error:
            raise HarnessError(self._no_answer(error)) from error

    def _no_answer(self, error: Exception) -> str:
        return f"the {self.name} broker does not answer: {error}"


def _task_id(message: bytes) -> str:
    try:
        return ENVELOPE.decode(message).task_id
    except msgspec.MsgspecError:
        return UNREADABLE


def _unacked_id(value: bytes) -> str:
    try:
        return UNACKED.decode(value)[0].task_id
    except msgspec.MsgspecError:
        return UNREADABLE
