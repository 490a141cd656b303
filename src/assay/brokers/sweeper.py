"""Removes what a run made on a broker that is somebody's, when all else of the run is dead.

The supervisor starts it as a sweeper (supervisor.py): it waits for SIGTERM, which comes when nothing of the run can
write any more, however the harness ended. On the socket that is its descriptor 3 it is told an Order, up to the end,
and says READY once the broker has answered.
"""

import contextlib
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from assay.brokers import speaks_amqp
from assay.brokers.served import Spawn
from assay.errors import HarnessError

if TYPE_CHECKING:
    import redis

BATCH = 1000
ANSWER_S = 1.0  # the supervisor waits little longer
READY = b"ready"
READY_S = 30.0
ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Order(msgspec.Struct, frozen=True):
    """Where to remove what: an address, with its password, and what the names of the run's things begin with.

    On Redis these are keys, and the address is redis-py's; on RabbitMQ virtual hosts, or without a prefix all that is
    in the address's own one.
    """

    url: str
    prefix: str


def start(order: Order, shown: str, folder: Path, spawn: Spawn) -> None:
    """Ready before anything is made. The address may hold a password, so it is told by the socket only."""
    folder.mkdir(parents=True, exist_ok=True)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        argv = [sys.executable, "-P", "-m", "assay.brokers.sweeper"]
        log = folder / "sweeper.log"
        process = spawn(argv, log=log, pass_fds=(theirs.fileno(),), name="the broker's sweeper", sweeper=True)
        theirs.close()
        ours.settimeout(READY_S)
        try:
            ours.sendall(msgspec.json.encode(order))
            ours.shutdown(socket.SHUT_WR)
            ready = ours.recv(len(READY)) == READY
        except OSError:
            ready = False
    if not ready:
        raise HarnessError(f"what cleans {shown} at the end did not start\n{process.last_words()}")


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


def _on_redis(order: Order) -> Callable[[], None]:
    import redis

    client = redis.Redis.from_url(order.url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S)
    client.ping()
    client.close()  # a server may close what is idle for hours
    return lambda: sweep(client, order.prefix)


def _on_rabbitmq(order: Order) -> Callable[[], object]:
    from assay.brokers.amqp_address import parse
    from assay.brokers.rabbitmq_api import Api
    from assay.brokers.rabbitmq_sweep import clear, drop_hosts

    address = parse(order.url)
    Api(address).version()
    api = Api(address, ANSWER_S)
    return lambda: drop_hosts(api, order.prefix) if order.prefix else clear(api, address)


def main() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    with socket.socket(fileno=3) as channel:
        with channel.makefile("rb") as file:
            order = msgspec.json.decode(file.read(), type=Order)
        remove = (_on_rabbitmq if speaks_amqp(order.url) else _on_redis)(order)
        with contextlib.suppress(OSError):
            channel.sendall(READY)
    signal.sigwait(ENDS)
    remove()


if __name__ == "__main__":
    main()
