"""Who gets a message: the first that waits for it, and never a client that is gone. The stock server fails these."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from both_brokers import both, broker, supervisor
from redis_wire import Wire, request

from assay.brokers.served import ServedBroker
from assay.process import Supervisor
from assay.wait import wait_until

__all__ = ["both", "broker", "supervisor"]
ENDS = ["closed", "reset", "killed"]
WAITS = 6
STOCK = """
import socket
from fakeredis import TcpFakeServer
server = TcpFakeServer(("127.0.0.1", 0))
print(server.server_address[1], flush=True)
server.serve_forever()
"""
BLOCK_AND_STAY = """
import socket, sys
sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
sock.sendall(bytes.fromhex(sys.argv[2]))
print("sent", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def stock_port(supervisor: Supervisor) -> Iterator[int]:
    """fakeredis's own TCP server: the planted bug."""
    log = supervisor.folder / "stock.log"
    process = supervisor.spawn([sys.executable, "-c", STOCK], log=log, name="stock fakeredis")
    yield int(wait_until(lambda: log.exists() and log.read_text().strip(), what="the stock server's port"))
    process.kill()


def blocked(port: int, count: int) -> None:
    """Wait until `count` clients are blocked; the stock server cannot tell, and gets a moment."""
    watcher = Wire(port)
    if watcher.ask("INFO", "clients")[0] == "-":
        watcher.has_reply(0.3)
    else:
        wait_until(lambda: watcher.blocked_clients() == count, what=f"{count} blocked clients")
    watcher.close()


def left_after_a_dead_client(port: int, how: str) -> int:
    """A client blocks on a queue and is gone; then a message comes. Returns how many messages the queue holds."""
    watcher = Wire(port)
    watcher.ask("DEL", "q")
    if how == "killed":
        argv = [sys.executable, "-c", BLOCK_AND_STAY, str(port), request("BRPOP", "q", 0).hex()]
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        blocked(port, 1)
        process.kill()
        process.communicate()
    else:
        client = Wire(port)
        client.send("BRPOP", "q", 0)
        blocked(port, 1)
        client.reset() if how == "reset" else client.close()
    watcher.ask("LPUSH", "q", "message")
    watcher.has_reply(0.05)
    left = watcher.ask("LLEN", "q")[1]
    watcher.close()
    return int(left)


def served_in_order(port: int) -> bool:
    """Clients block on one key one after another; a message for each comes. Whether they were served in that order."""
    pusher = Wire(port)
    pusher.ask("DEL", "q")
    clients = []
    for number in range(WAITS):
        clients.append(Wire(port))
        clients[-1].send("BRPOP", "q", 0)
        if number == WAITS - 1:
            blocked(port, WAITS)
        else:
            clients[-1].has_reply(0.01)
    got = []
    for number in range(WAITS):
        pusher.ask("LPUSH", "q", number)
        got.append(
            wait_until(lambda: [i for i, it in enumerate(clients) if i not in got and it.has_reply()], what="a pop")[0]
        )
    for client in [*clients, pusher]:
        client.close()
    return got == list(range(WAITS))


@pytest.mark.parametrize("how", ENDS)
def test_given_a_blocked_client_that_is_gone_when_a_message_comes_then_it_stays_in_the_queue(
    broker: ServedBroker, how: str
) -> None:
    assert [left_after_a_dead_client(broker.port, how) for _ in range(6)] == [1] * 6


def test_given_the_stock_server_then_a_dead_client_takes_the_message(stock_port: int) -> None:
    assert left_after_a_dead_client(stock_port, "closed") == 0


def test_given_several_blocked_clients_then_they_are_served_first_come_first(broker: ServedBroker) -> None:
    assert all(served_in_order(broker.port) for _ in range(5))


def test_given_the_stock_server_then_the_order_is_another(stock_port: int) -> None:
    assert not all(served_in_order(stock_port) for _ in range(20))


def test_given_blocked_clients_when_a_transaction_pushes_then_all_are_served_after_it_in_order(
    broker: ServedBroker,
) -> None:
    clients = [Wire(broker.port) for _ in range(3)]
    for number, client in enumerate(clients):
        client.send("BLPOP", "q", "other", 0)
        blocked(broker.port, number + 1)
    pusher = Wire(broker.port)
    pusher.ask("MULTI")
    pusher.ask("RPUSH", "q", "1", "2")
    pusher.ask("RPUSH", "other", "3")
    pusher.ask("RPUSH", "q", "4")
    pusher.ask("LLEN", "q")
    assert not any(client.has_reply(0.05) for client in clients)
    assert pusher.ask("EXEC") == ("*", [(":", 2), (":", 1), (":", 3), (":", 3)])
    assert [client.read()[1][1][1] for client in clients] == [b"1", b"2", b"4"]
    assert pusher.ask("LRANGE", "other", 0, -1) == ("*", [("$", b"3")])


def test_given_a_transaction_that_pops_what_it_pushed_then_a_blocked_client_goes_on_waiting(
    broker: ServedBroker,
) -> None:
    client, pusher = Wire(broker.port), Wire(broker.port)
    client.send("BRPOP", "q", 0)
    blocked(broker.port, 1)
    for words in (("MULTI",), ("LPUSH", "q", "x"), ("RPOP", "q"), ("EXEC",)):
        pusher.ask(*words)
    assert not client.has_reply(0.05)
    pusher.ask("LPUSH", "q", "y")
    assert client.read() == ("*", [("$", b"q"), ("$", b"y")])


def test_given_a_chain_of_blocked_moves_then_a_message_goes_all_the_way(broker: ServedBroker) -> None:
    first, second, pusher = Wire(broker.port), Wire(broker.port), Wire(broker.port)
    second.send("BRPOP", "b", 0)
    first.send("BRPOPLPUSH", "a", "b", 0)
    blocked(broker.port, 2)
    pusher.ask("LPUSH", "a", "x")
    assert first.read() == ("$", b"x")
    assert second.read() == ("*", [("$", b"b"), ("$", b"x")])


@pytest.mark.parametrize("timeout_s", [0.05, 0.25])
def test_given_a_timeout_when_nothing_comes_then_the_answer_is_nothing_at_that_time(
    broker: ServedBroker, timeout_s: float
) -> None:
    client = Wire(broker.port)
    took = []
    for _ in range(5):
        started = time.monotonic()
        assert client.ask("BRPOP", "q", timeout_s) == ("*", None)
        took.append(time.monotonic() - started)
    assert timeout_s - 0.002 <= min(took) < timeout_s + 0.1, took


def test_given_many_timeouts_then_each_is_told_at_its_own_time(broker: ServedBroker) -> None:
    clients = {limit: Wire(broker.port) for limit in (0.3, 0.1, 0.2)}
    for limit, client in clients.items():
        client.send("BRPOP", "q", limit)
    told = []
    while len(told) < 3:
        told += [limit for limit, client in clients.items() if limit not in told and client.has_reply(0.005)]
    assert told == [0.1, 0.2, 0.3]


def test_given_a_blocked_client_that_sends_more_then_that_is_answered_after_it(broker: ServedBroker) -> None:
    client, pusher = Wire(broker.port), Wire(broker.port)
    client.socket.sendall(request("BRPOP", "q", 0) + request("LPUSH", "done", "x") + request("PING"))
    blocked(broker.port, 1)
    assert pusher.ask("EXISTS", "done") == (":", 0)
    pusher.ask("LPUSH", "q", "1")
    assert [client.read()[0] for _ in range(3)] == ["*", ":", "+"]


def test_given_a_blocked_client_when_another_unblocks_or_kills_it_then_it_is_told(broker: ServedBroker) -> None:
    client, other = Wire(broker.port), Wire(broker.port)
    number = client.ask("CLIENT", "ID")[1]
    for reason, want in (("TIMEOUT", ("*", None)), ("ERROR", ("-", "UNBLOCKED client unblocked via CLIENT UNBLOCK"))):
        client.send("BRPOP", "q", 0)
        blocked(broker.port, 1)
        assert other.ask("CLIENT", "UNBLOCK", number, reason) == (":", 1)
        assert client.read() == want
    client.send("BRPOP", "q", 0)
    blocked(broker.port, 1)
    assert other.ask("CLIENT", "KILL", "ID", number) == (":", 1)
    with pytest.raises(EOFError):
        client.read()
    other.ask("LPUSH", "q", "x")
    assert other.ask("LLEN", "q") == (":", 1)


def test_given_a_stopped_client_then_it_is_served_and_nothing_else_waits_for_it(broker: ServedBroker) -> None:
    argv = [sys.executable, "-c", BLOCK_AND_STAY, str(broker.port), request("BRPOP", "q", 0).hex()]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        blocked(broker.port, 1)
        os.kill(process.pid, signal.SIGSTOP)
        other = Wire(broker.port)
        other.ask("LPUSH", "q", "x")
        assert other.ask("LLEN", "q") == (":", 0)  # as on Redis: it is in the stopped client's socket
    finally:
        process.kill()
        process.communicate()
