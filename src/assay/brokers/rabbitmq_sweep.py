"""Removes what a run made on a RabbitMQ that is somebody's: its virtual hosts, or what is in the one it was lent."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from assay.brokers.rabbitmq_api import Api, Counted, Refused

T = TypeVar("T")
AT_ONCE = 16
LOOKS = 50


def drop_hosts(api: Api, prefix: str) -> None:
    """Every virtual host with this prefix. Raises what Api does.

    Twice nothing is looked for: a request of a killed harness may be read by the server after the first look.
    """
    _until_none(lambda: [name for name in api.virtual_hosts() if name.startswith(prefix)], api.drop)


def clear(api: Api, host: str) -> list[str]:
    """Delete what is in this virtual host. Returns the queues that somebody consumes from, which are left."""
    used: set[str] = set()

    def delete(queue: Counted) -> None:
        try:
            api.delete_unused(host, queue)
            used.discard(queue.name)
        except Refused:
            used.add(queue.name)  # a worker that was just killed may still be known as its consumer

    _until_none(lambda: api.queues(host), delete)
    _until_none(lambda: api.exchanges(host), lambda name: api.delete_exchange(host, name))
    return sorted(used)


def _until_none(look: Callable[[], Iterable[T]], delete: Callable[[T], None]) -> None:
    clean = 0
    with ThreadPoolExecutor(AT_ONCE) as executor:
        for _ in range(LOOKS):
            found = list(look())
            list(executor.map(delete, found))
            clean = 0 if found else clean + 1
            if clean == 2:
                return
