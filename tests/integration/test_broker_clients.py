"""Clients as they are: redis-py in both protocols, large payloads, long pipelines, slow readers, scripts, expiry."""

import time

import pytest
import redis
from both_brokers import both, broker, supervisor
from redis_wire import Wire, request

from assay.brokers.served import ServedBroker
from assay.connections import Peer
from assay.wait import wait_until

__all__ = ["both", "broker", "supervisor"]
MEGABYTE = 1 << 20


@pytest.fixture(params=[2, 3])
def client(request: pytest.FixtureRequest, broker: ServedBroker) -> redis.Redis:
    return redis.Redis("127.0.0.1", port=broker.port, protocol=request.param, socket_timeout=20)


def test_given_kombus_acknowledgement_then_a_lock_taken_is_released_by_its_script(client: redis.Redis) -> None:
    lock = client.lock("unacked_mutex", timeout=300)
    assert lock.acquire(blocking=False)
    assert not client.lock("unacked_mutex", timeout=300).acquire(blocking=False)
    lock.extend(60)
    lock.release()
    assert client.exists("unacked_mutex") == 0
    with pytest.raises(redis.exceptions.LockError):
        lock.release()


def test_given_a_lock_that_somebody_else_holds_now_then_it_is_not_released(client: redis.Redis) -> None:
    lock = client.lock("mutex", timeout=300)
    assert lock.acquire(blocking=False)
    client.set("mutex", "another's token")
    with pytest.raises(redis.exceptions.LockNotOwnedError):
        lock.release()
    assert client.get("mutex") == b"another's token"


def test_given_kombus_restore_when_the_watched_key_changes_then_the_transaction_is_tried_again(
    client: redis.Redis,
) -> None:
    client.hset("unacked", "tag", "message")
    tries = []

    def restore(pipe: redis.client.Pipeline) -> None:
        held = pipe.hget("unacked", "tag")
        tries.append(held)
        if len(tries) == 1:
            client.hset("unacked", "other", "x")
        pipe.multi()
        pipe.zrem("unacked_index", "tag")
        pipe.hdel("unacked", "tag")
        if held:
            pipe.lpush("queue", held)

    client.transaction(restore, "unacked")
    assert tries == [b"message", b"message"]
    assert client.lrange("queue", 0, -1) == [b"message"]


def test_given_kombus_sweep_then_only_what_is_due_is_seen(client: redis.Redis) -> None:
    now = time.time()
    client.zadd("unacked_index", {"old": now - 100, "older": now - 200, "new": now})
    due = client.zrange("unacked_index", now - 50, 0, desc=True, byscore=True, offset=0, num=10, withscores=True)
    assert [tuple(each) for each in due] == [(b"old", now - 100), (b"older", now - 200)]
    assert client.zrevrangebyscore("unacked_index", now - 50, 0, start=0, num=1) == [b"old"]


def test_given_patterns_and_databases_then_messages_reach_every_subscriber_of_any_database(
    broker: ServedBroker,
) -> None:
    with redis.Redis("127.0.0.1", port=broker.port, db=3) as one, redis.Redis(port=broker.port, db=5) as other:
        listener = one.pubsub(ignore_subscribe_messages=True)
        listener.psubscribe("/3.celery.pidbox*")
        listener.subscribe("celery-task-meta-1")
        wait_until(lambda: listener.get_message() is None and one.pubsub_numpat() == 1, what="the subscription")
        assert other.publish("/3.celery.pidbox.w1", "hello") == 1
        assert other.publish("celery-task-meta-1", "done") == 1
        assert other.publish("nobody", "x") == 0
        got = [wait_until(lambda: listener.get_message(timeout=1), what="a message")["data"] for _ in range(2)]
        assert got == [b"hello", b"done"]
        listener.close()
        wait_until(
            lambda: one.pubsub_numpat() == 0 and not one.pubsub_channels(), what="the subscriber to be forgotten"
        )


def test_given_databases_then_each_is_apart_and_flushed_alone(broker: ServedBroker) -> None:
    clients = {db: redis.Redis("127.0.0.1", port=broker.port, db=db) for db in (0, 1, 9_999)}
    for db, each in clients.items():
        each.set("who", db)
    assert [each.get("who") for each in clients.values()] == [b"0", b"1", b"9999"]
    broker.flush(1)
    assert [each.dbsize() for each in clients.values()] == [1, 0, 1]


def test_given_an_expiry_then_the_key_is_gone_everywhere(client: redis.Redis) -> None:
    client.set("brief", 1, px=40)
    client.set("long", 1, ex=100)
    client.rpush("list", 1)
    assert client.pexpire("list", 40)
    assert 0 < client.pttl("brief") <= 40
    wait_until(lambda: not client.exists("brief", "list"), what="the expiry")
    assert client.keys("*") == [b"long"]
    assert client.dbsize() == 1
    assert client.set("brief", 2, nx=True)


def test_given_a_list_that_is_renamed_to_a_key_that_a_client_waits_for_then_it_is_served(broker: ServedBroker) -> None:
    waiting, other = Wire(broker.port), Wire(broker.port)
    other.ask("RPUSH", "elsewhere", "x")
    waiting.send("BRPOP", "q", 0)
    wait_until(lambda: other.blocked_clients() == 1, what="a blocked client")
    other.ask("RENAME", "elsewhere", "q")
    assert waiting.read() == ("*", [("$", b"q"), ("$", b"x")])


def test_given_messages_of_five_megabytes_then_they_come_whole(client: redis.Redis) -> None:
    body = bytes(range(256)) * (5 * MEGABYTE // 256)
    client.lpush("q", body, body[::-1])
    assert client.brpop("q", timeout=5)[1] == body
    assert client.brpop("q", timeout=5)[1] == body[::-1]


def test_given_ten_thousand_commands_in_one_pipeline_then_all_are_answered_in_order(client: redis.Redis) -> None:
    for transaction in (False, True):
        with client.pipeline(transaction=transaction) as pipe:
            for number in range(10_000):
                pipe.rpush("many", number)
            assert pipe.execute() == list(range(1, 10_001))
        assert client.llen("many") == 10_000
        client.delete("many")


def test_given_a_request_in_pieces_then_it_is_put_together_while_others_are_served(broker: ServedBroker) -> None:
    slow, other = Wire(broker.port), Wire(broker.port)
    data = request("SET", "key", "x\r\n$5\r\n*3\r\n") + request("GET", "key")
    for at in range(len(data)):
        slow.socket.sendall(data[at : at + 1])
        if at % 10 == 0:
            assert other.ask("PING") == ("+", b"PONG")
    assert slow.read() == ("+", b"OK")
    assert slow.read() == ("$", b"x\r\n$5\r\n*3\r\n")


def test_given_a_client_that_does_not_read_then_others_are_served_and_it_gets_all_in_the_end(
    broker: ServedBroker,
) -> None:
    slow, other = Wire(broker.port), Wire(broker.port)
    other.ask("SET", "big", b"x" * (5 * MEGABYTE))
    slow.socket.sendall(request("GET", "big") * 6)
    for _ in range(50):
        assert other.ask("PING") == ("+", b"PONG")
    assert [len(slow.read()[1]) for _ in range(6)] == [5 * MEGABYTE] * 6


def test_given_something_that_is_not_redis_then_it_is_told_and_disconnected(broker: ServedBroker) -> None:
    for junk, word in ((b"*1\r\n:5\r\n", "expected '$'"), (b"*x\r\n", "multibulk"), (b"*1\r\n$-5\r\n", "bulk length")):
        client = Wire(broker.port)
        client.socket.sendall(junk)
        kind, text = client.read()
        assert kind == "-"
        assert word in text
        with pytest.raises(EOFError):
            client.read()


def test_given_inline_commands_then_they_are_answered(broker: ServedBroker) -> None:
    client = Wire(broker.port)
    client.socket.sendall(b"PING\r\nSET a 1\r\nGET a\r\n")
    assert [client.read() for _ in range(3)] == [("+", b"PONG"), ("+", b"OK"), ("$", b"1")]


def test_given_what_clients_ask_at_the_start_then_both_answer_alike(both: tuple[ServedBroker, ServedBroker]) -> None:
    for words in (
        ("HELLO", "4"), ("CLIENT", "MAINT_NOTIFICATIONS", "ON"), ("QUIT",),
        ("CONFIG", "GET", "maxmemory-policy"), ("AUTH", "x"), ("CLIENT", "SETNAME", "x"), ("RESET",),
    ):  # fmt: skip
        embedded, real = (Wire(each.port) for each in both)
        want, got = real.ask(*words), embedded.ask(*words)
        assert got[0] == want[0], words
        assert got == want or want[0] == "-", words
    with redis.Redis("127.0.0.1", port=both[0].port) as client:
        for section in ("server", "clients", "memory", "stats", "replication", "keyspace"):
            assert client.info(section) is not None
        assert client.info()["redis_version"].startswith("7.0.")


def test_given_a_monitor_then_it_sees_what_others_do(broker: ServedBroker) -> None:
    with redis.Redis("127.0.0.1", port=broker.port) as client, client.monitor() as monitor:
        Wire(broker.port).ask("SET", "a", 'x "y"')
        seen = wait_until(lambda: next(it for it in monitor.listen() if it["command"].startswith("SET")), what="SET")
        assert seen["command"].startswith("SET a")


def test_given_a_function_of_lua_then_numbers_errors_and_tables_come_back_alike(
    both: tuple[ServedBroker, ServedBroker],
) -> None:
    scripts = [
        "return 3.7", "return {1, 'two', {3}, false, 5}", "return redis.call('incr', KEYS[1])",
        "return nil", "return true",
        "return redis.status_reply('FINE')", "return redis.error_reply('BAD thing')",
        "return redis.pcall('nosuch')['err'] ~= nil",
        "return redis.call('hgetall', 'h')", "redis.call('set', KEYS[1], ARGV[1]) return redis.call('get', KEYS[1])",
        "return cjson.encode({a=1})", "return #ARGV",
    ]  # fmt: skip
    for protocol in (2, 3):
        wires = [Wire(each.port, protocol) for each in both]
        for wire in wires:
            wire.ask("FLUSHDB")
            wire.ask("HSET", "h", "f", "v")
        for script in scripts:
            embedded, real = (wire.ask("EVAL", script, 1, "k", "7") for wire in wires)
            assert embedded == real, script
        sha = [wire.ask("SCRIPT", "LOAD", "return 1") for wire in wires]
        assert sha[0] == sha[1]
        assert [wire.ask("EVALSHA", sha[0][1], 0) for wire in wires] == [(":", 1)] * 2


def test_given_a_client_that_waits_for_a_message_when_it_is_unblocked_then_the_next_message_stays(
    broker: ServedBroker,
) -> None:
    waiting, other, writer = Wire(broker.port, db=2), Wire(broker.port, db=2), Wire(broker.port, db=2)
    waiting.send("BRPOP", "queue", 30)
    other.send("BRPOP", "other", 30)
    wait_until(lambda: writer.blocked_clients() == 2, what="two that wait")
    addresses = {Peer(*waiting.socket.getsockname())}
    assert broker.taking(2) == 0, "whoever waits has nothing yet"
    assert broker.unblock(addresses) == 1
    assert waiting.has_reply(), "it has its answer when that returns"
    assert (broker.taking(2), broker.taking(3)) == (1, 0), "one may have a message that it has not noted as its own"
    assert waiting.read() == ("*", None)
    assert writer.ask("LPUSH", "queue", "message") == (":", 1)
    assert writer.ask("LLEN", "queue") == (":", 1)
    assert broker.unblock(addresses) == 0, "it waits for nothing now"
    waiting.ask("PING")
    assert broker.taking(2) == 0, "it does something else by now"
    assert not other.has_reply()
    for each in (waiting, other, writer):
        each.close()
