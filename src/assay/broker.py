"""The message broker of a run: the embedded one, a private redis-server or RabbitMQ node, or one given by URL."""

import contextlib
import re
import signal
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, Protocol, runtime_checkable

from assay.brokers import NAMES, speaks_amqp
from assay.brokers.external import redact_url
from assay.brokers.served import Spawn
from assay.connections import Peer
from assay.errors import UsageError

URL = re.compile(r"^(?P<scheme>[a-z][a-z0-9+.]*)://", re.IGNORECASE)


@runtime_checkable
class Broker(Protocol):
    """What a run asks of a broker. Databases are numbered; pub/sub is shared by all of them, as in Redis.

    On Redis a queue is `priority_steps` lists, named as kombu's transport does (`queue`, `queue` + `sep` + step); on
    RabbitMQ a database is a virtual host, and names have no prefix. Methods raise HarnessError when the broker does not
    answer.
    """

    @property
    def name(self) -> str:
        """`fakeredis`, `redis`, `rabbitmq`, `external` (a Redis by URL) or `external-rabbitmq`."""

    @property
    def key_prefix(self) -> str:
        """What all keys and channels of the run begin with; nothing where the broker is the run's own."""

    @property
    def one_database(self) -> bool:
        """Whether there is but one, whatever number is asked for."""

    @property
    def tls(self) -> Mapping[str, Any]:
        """For Celery's `broker_use_ssl`, where the address does not say it all."""

    @property
    def pid(self) -> int | None:
        """The server's process; None where it is not ours."""

    def url(self, db: int) -> str: ...

    def results_url(self, db: int) -> str:
        """Where an app stores its results that stores them in Redis, or in what a run has no other for."""

    def depths(
        self, db: int, queues: Sequence[str], priority_steps: Sequence[int], sep: str, global_keyprefix: str
    ) -> dict[str, int]: ...

    def queued(
        self, db: int, queues: Sequence[str], priority_steps: Sequence[int], sep: str, global_keyprefix: str
    ) -> dict[str, list[str]]: ...

    def unacked(self, db: int, global_keyprefix: str = "") -> list[str]: ...

    def stale(self, db: int, since_ns: int) -> bool:
        """Whether `unacked` may tell what was before this moment (time.monotonic_ns()). It will not be for long."""

    def taking(self, db: int) -> int:
        """How many clients have asked for a message by a blocking command that is over, and for nothing since.

        They may have one that they have not noted as theirs yet.
        """

    def unblock(self, clients: Iterable[Peer]) -> int:
        """End what clients at these addresses wait for in a blocking command, as if its time were up; how many did.

        What they were sent before has reached them when this returns.
        """

    def flush(self, db: int) -> None: ...

    def version(self) -> str: ...

    def alive(self) -> bool: ...

    def stop(self) -> str:
        """End it. Returns what the user should know about how it was left, or nothing."""


@runtime_checkable
class OwnBroker(Broker, Protocol):
    """A broker that the run has started: it may be killed, paused, and started again at the same address."""

    @property
    def durable(self) -> bool:
        """Whether it has after a restart what it had before, as people run it."""

    def keep_data(self) -> None:
        """From now on a restart loses nothing that the broker has confirmed. Raises UsageError where that cannot be."""

    def kill(self) -> None: ...

    def restart(self, *, with_data: bool = False) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...


def start(name_or_url: str, folder: Path, spawn: Spawn, *, port: int = 0, appendonly: bool = False) -> Broker:
    """A broker that serves: `fakeredis`, `redis`, or an address. Its log and data go to `folder`.

    `port` 0 is a free one. Raises UsageError for a name, an address or a database that cannot be used, and HarnessError
    with its last words when a process of our own does not start.
    """
    found = URL.match(name_or_url)
    if found:
        if speaks_amqp(name_or_url):
            from assay.brokers.external_rabbitmq import ExternalRabbitBroker

            return ExternalRabbitBroker(name_or_url, folder, spawn)
        from assay.brokers.external import ExternalBroker

        return ExternalBroker(name_or_url, folder, spawn)
    if name_or_url == "fakeredis":
        from assay.brokers.fakeredis import FakeredisBroker

        return FakeredisBroker(folder, spawn, port=port)
    if name_or_url == "redis":
        from assay.brokers.redis import RedisBroker

        return RedisBroker(folder, spawn, port=port, appendonly=appendonly)
    if name_or_url == "rabbitmq":
        from assay.brokers.rabbitmq import RabbitBroker

        return RabbitBroker(folder, spawn, port=port)
    raise UsageError(
        f"unknown broker {name_or_url}; there are {', '.join(NAMES)}, or an address such as redis://HOST/DB or amqp://HOST/VHOST"
    )


def serve_foreground(broker_name: str, port: int = 0) -> None:
    """Serve a broker, print its URL, return at Ctrl-C or TERM; nothing of it is left then."""
    from assay.process import Supervisor

    def end(number: int, frame: FrameType | None) -> NoReturn:
        for each in ends:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    ends = (signal.SIGINT, signal.SIGTERM)
    before = {each: signal.signal(each, end) for each in ends}
    try:
        with contextlib.suppress(KeyboardInterrupt), Supervisor() as supervisor:
            broker = start(broker_name, supervisor.folder / "broker", supervisor.spawn, port=port)
            try:
                print(broker.url(0), flush=True)
                while True:
                    signal.pause()
            finally:
                broker.stop()
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


__all__ = ["Broker", "OwnBroker", "Spawn", "redact_url", "serve_foreground", "start"]
