"""Removes a run's keys from a broker that is somebody's, when all else of the run is dead.

The supervisor starts it as a sweeper (supervisor.py): it waits for SIGTERM, which comes when nothing of the run can
write any more, however the harness ended. On the socket that is its descriptor 3 it is told an Order, up to the end,
and says READY once the broker has answered.
"""

import contextlib
import signal
import socket
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import redis

BATCH = 1000
ANSWER_S = 1.0  # the supervisor waits little longer
READY = b"ready"
ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Order(msgspec.Struct, frozen=True):
    """Where to remove what. The address is redis-py's, with its password."""

    url: str
    prefix: str


def sweep(client: "redis.Redis", prefix: str) -> None:
    """Delete every key with this prefix.

    Twice nothing is looked for: a command that a killed worker had sent may be read by the server after the first look.
    """
    clean = 0
    while clean < 2:
        keys = list(client.scan_iter(match=f"{prefix}*", count=BATCH))
        for start in range(0, len(keys), BATCH):
            client.delete(*keys[start : start + BATCH])
        clean = 0 if keys else clean + 1


def main() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    import redis

    with socket.socket(fileno=3) as channel:
        with channel.makefile("rb") as file:
            order = msgspec.json.decode(file.read(), type=Order)
        client = redis.Redis.from_url(order.url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S)
        client.ping()
        client.close()  # a server may close what is idle for hours
        with contextlib.suppress(OSError):
            channel.sendall(READY)
    signal.sigwait(ENDS)
    sweep(client, order.prefix)


if __name__ == "__main__":
    main()
