"""Removes what a run made on a RabbitMQ that is somebody's: its virtual hosts, or what is in the one it was lent."""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from assay.brokers.amqp_address import Address, connect
from assay.brokers.rabbitmq_api import QUORUM, Api, Counted, Refused

T = TypeVar("T")
AT_ONCE = 16
LOOKS = 50


def drop_hosts(api: Api, prefix: str) -> None:
    """Every virtual host with this prefix. Raises what Api does.

    Twice nothing is looked for: a request of a killed harness may be read by the server after the first look.
    """
    _until_none(lambda: [name for name in api.virtual_hosts() if name.startswith(prefix)], api.drop)


def clear(api: Api, address: Address) -> list[str]:
    """Delete what is in the address's virtual host. Returns the queues that somebody consumes from, which are left.

    A worker that was just killed may still be known as a consumer, so that is asked again and again for a while.
    """
    host, used = address.virtual_host, set[str]()

    def look() -> list[Counted]:
        queues = api.queues(host)
        consumed = _consumed(address, [queue.name for queue in queues if queue.type == QUORUM])
        used.clear()
        used.update(consumed)
        return queues

    def delete(queue: Counted) -> None:
        if queue.name not in used:
            try:
                api.delete_queue(host, queue.name, if_unused=queue.type != QUORUM)
            except Refused:
                used.add(queue.name)

    _until_none(look, delete)
    _until_none(lambda: api.exchanges(host), lambda name: api.delete_exchange(host, name))
    return sorted(used)


def _consumed(address: Address, queues: Sequence[str]) -> set[str]:
    """Those that have a consumer. Quorum queues know no if-unused, and the API tells of consumers seconds late."""
    if not queues:
        return set()
    with contextlib.closing(connect(address, address.virtual_host)) as connection:
        channel = connection.channel()
        return {name for name in queues if channel.queue_declare(name, passive=True).consumer_count}


def _until_none(look: Callable[[], Iterable[T]], delete: Callable[[T], None]) -> None:
    clean = 0
    with ThreadPoolExecutor(AT_ONCE) as executor:
        for _ in range(LOOKS):
            found = list(look())
            list(executor.map(delete, found))
            clean = 0 if found else clean + 1
            if clean == 2:
                return
