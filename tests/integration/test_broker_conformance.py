"""The embedded broker answers as Redis does: random traces of what kombu and the result backend use, side by side."""

import itertools
import os

from both_brokers import both, supervisor
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from redis_wire import Reply, Wire

from assay.brokers.served import ServedBroker
from assay.wait import wait_until

CLIENTS = 3
UNORDERED = {"SMEMBERS", "HGETALL", "HKEYS", "HVALS", "KEYS", "SUNION", "SINTER", "SDIFF"}
BLOCKING = {"BRPOP", "BLPOP", "BRPOPLPUSH", "BLMOVE"}
SUBSCRIBING = {"SUBSCRIBE", "PSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE"}
SCRIPT = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"
__all__ = ["both", "supervisor"]  # fixtures

explore = settings(
    max_examples=int(os.environ.get("ASSAY_EXAMPLES", "120")),
    derandomize="ASSAY_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


key = st.sampled_from(["l1", "l2", "h", "s", "z", "str", "any"])
value = st.one_of(st.sampled_from(["a", "b", "c", ""]), st.binary(max_size=12), st.integers(-9, 99).map(str))
number = st.integers(-3, 12).map(str)
score = st.one_of(st.integers(0, 9).map(str), st.sampled_from(["1.5", "-inf", "+inf", "1e3", "0.1", "nope"]))
bound = st.one_of(score, st.sampled_from(["(1", "(2.5"]))
field = st.sampled_from(["f1", "f2", "f3"])
channel = st.sampled_from(["news.a", "news.b", "other"])
pattern = st.sampled_from(["news.*", "n?ws.[ab]", "*"])


def command(*parts: st.SearchStrategy[object] | str) -> st.SearchStrategy[tuple[object, ...]]:
    return st.tuples(*(st.just(part) if isinstance(part, str) else part for part in parts))


def listed(*parts: st.SearchStrategy[object] | str, last: st.SearchStrategy[object]) -> st.SearchStrategy:
    """A command whose last part repeats."""
    return st.tuples(command(*parts), st.lists(last, min_size=1, max_size=3)).map(lambda it: (*it[0], *it[1]))


pairs = st.lists(st.tuples(field, value), min_size=1, max_size=3).map(lambda it: tuple(itertools.chain(*it)))
scored = st.lists(st.tuples(score, value), min_size=1, max_size=3).map(lambda it: tuple(itertools.chain(*it)))
lists = st.one_of(
    listed("LPUSH", key, last=value), listed("RPUSH", key, last=value), command("RPOP", key), command("LPOP", key),
    command("RPOP", key, number), command("LLEN", key), command("LRANGE", key, number, number),
    command("LREM", key, number, value), command("LTRIM", key, number, number), command("RPOPLPUSH", key, key),
    command("LINDEX", key, number), command("LSET", key, number, value),
)  # fmt: skip
blocking = st.one_of(
    listed("BRPOP", last=key).map(lambda it: (*it, "0")), listed("BLPOP", last=key).map(lambda it: (*it, "0")),
    command("BRPOPLPUSH", key, key, "0"),
    command("BLMOVE", key, key, st.sampled_from(["LEFT", "RIGHT"]), st.sampled_from(["LEFT", "RIGHT"]), "0"),
)  # fmt: skip
hashes = st.one_of(
    st.tuples(st.just("HSET"), key, pairs).map(lambda it: (*it[:2], *it[2])), command("HGET", key, field),
    listed("HDEL", key, last=field), command("HLEN", key), command("HGETALL", key), command("HVALS", key),
    command("HEXISTS", key, field), command("HINCRBY", key, field, number), command("HKEYS", key),
    listed("HMGET", key, last=field), command("HSETNX", key, field, value),
)  # fmt: skip
sets = st.one_of(
    listed("SADD", key, last=value), listed("SREM", key, last=value), command("SMEMBERS", key), command("SCARD", key),
    command("SISMEMBER", key, value), command("SUNION", key, key),
)  # fmt: skip
zsets = st.one_of(
    st.tuples(st.just("ZADD"), key, scored).map(lambda it: (*it[:2], *it[2])), listed("ZREM", key, last=value),
    command("ZREVRANGEBYSCORE", key, bound, bound), command("ZRANGEBYSCORE", key, bound, bound, "WITHSCORES"),
    command("ZREVRANGEBYSCORE", key, bound, bound, "WITHSCORES", "LIMIT", number, number),
    command("ZRANGE", key, bound, bound, "BYSCORE", "REV", "LIMIT", number, number, "WITHSCORES"),
    command("ZRANGE", key, number, number, "WITHSCORES"), command("ZCARD", key), command("ZSCORE", key, value),
    command("ZCOUNT", key, bound, bound), command("ZREMRANGEBYSCORE", key, bound, bound),
    command("ZINCRBY", key, score, value),
)  # fmt: skip
strings = st.one_of(
    command("SET", key, value), command("SET", key, value, "NX", "EX", "105"),
    command("SET", key, value, "XX"), command("SET", key, value, "PX", "105000", "NX"),
    command("SETEX", key, st.sampled_from(["105", "0", "nope"]), value), command("GET", key), listed("MGET", last=key),
    command("INCR", key), command("INCRBY", key, number), command("DECR", key), command("APPEND", key, value),
    command("SETNX", key, value), command("GETSET", key, value), command("STRLEN", key), command("GETDEL", key),
)  # fmt: skip
keys = st.one_of(
    listed("DEL", last=key), listed("EXISTS", last=key), command("EXPIRE", key, "105"), command("TYPE", key),
    command("PEXPIRE", key, "105000"), command("TTL", key), command("PERSIST", key), command("RENAME", key, key),
    listed("UNLINK", last=key), command("DBSIZE"), command("KEYS", st.sampled_from(["*", "l?", "[hs]*"])),
)  # fmt: skip
transactions = st.one_of(
    listed("WATCH", last=key), command("UNWATCH"), command("MULTI"), command("EXEC"), command("EXEC"),
    command("DISCARD"),
)  # fmt: skip
messages = st.one_of(
    listed("SUBSCRIBE", last=channel), listed("PSUBSCRIBE", last=pattern), command("UNSUBSCRIBE", channel),
    command("PUNSUBSCRIBE", pattern), command("PUBLISH", channel, value), command("PUBLISH", channel, value),
)  # fmt: skip
others = st.one_of(
    command("PING"), command("PING", value), command("ECHO", value), command("EVAL", SCRIPT, "1", key, value),
    command("EVALSHA", "0" * 40, "0"), command("NOSUCH", value), command("GET"), command("LPUSH", key),
    command("CONFIG", "GET", "maxmemory-policy"), command("SELECT", "7"), command("BRPOP", key, "nope"),
    command("CLIENT", "SETNAME", "me"), command("SELECT", "nope"), command("BRPOP", key, "-1"),
)  # fmt: skip
anything = st.one_of(lists, lists, blocking, hashes, sets, zsets, strings, keys, transactions, messages, others)
trace = st.lists(st.tuples(st.integers(0, CLIENTS - 1), anything), max_size=40)


class Side:
    """One server and the clients of a trace. A step's answer: what this client, and those it unblocked, were told."""

    def __init__(self, broker: ServedBroker, protocol: int) -> None:
        self.watcher = Wire(broker.port)
        self.watcher.ask("FLUSHALL")
        self.watcher.ask("SCRIPT", "FLUSH")
        self.clients = [Wire(broker.port, protocol) for _ in range(CLIENTS)]
        self.protocol = protocol
        self.blocked: set[int] = set()
        self.queueing: set[int] = set()
        self.subscribed: dict[int, int] = dict.fromkeys(range(CLIENTS), 0)

    def step(self, number: int, words: tuple[object, ...]) -> list[tuple[int, Reply]]:
        if number in self.blocked or (number in self.queueing and words[0] in SUBSCRIBING):
            return []
        client, name = self.clients[number], str(words[0])
        told: list[tuple[int, Reply]] = []
        client.send(*words)
        if name in BLOCKING and number not in self.queueing:
            blocked = len(self.blocked)
            wait_until(
                lambda: client.has_reply() or self.watcher.blocked_clients() > blocked, what="a reply or a block"
            )
            if client.has_reply():
                told.append((number, client.read()))
            else:
                self.blocked.add(number)
        else:
            for _ in range(self._replies(number, name, words)):
                told.append((number, self._tidy(words, client.read())))
        self._follow(number, name, told)
        self.watcher.ask("PING")
        return told + self._unblocked()

    def _replies(self, number: int, name: str, words: tuple[object, ...]) -> int:
        return len(words) - 1 if name in SUBSCRIBING and number not in self.queueing else 1

    def _tidy(self, words: tuple[object, ...], reply: Reply) -> Reply:
        """The reply without what Redis leaves open: the order of members, which of two faults is told."""
        name = str(words[0])
        if reply[0] == "-" and "nope" in words:
            return "-", "an argument is no number"
        if name == "HGETALL" and reply[0] in "*%" and reply[1]:
            return reply[0], sorted(zip(reply[1][::2], reply[1][1::2], strict=True))
        if reply[0] == "-" and reply[1].startswith("NOSCRIPT"):
            return "-", "NOSCRIPT"  # Valkey adds advice
        if name in ("MULTI", "WATCH") and reply[0] == "-":
            return "-", "not in a transaction"  # Valkey says it in other words
        if name == "EVAL" and reply[0] == "-":
            return "-", reply[1].partition(" script: ")[0]  # where in the script: Redis 7 tells, Redis 6 otherwise
        if name == "TTL" and reply[0] == ":":
            return reply[0], reply[1] // 10  # all expiries are 105 s: a slow machine may see 104
        return (reply[0], sorted(reply[1])) if name in UNORDERED and isinstance(reply[1], list) else reply

    def _follow(self, number: int, name: str, told: list[tuple[int, Reply]]) -> None:
        error = bool(told) and told[0][1][0] == "-"
        if name == "MULTI" and not error:
            self.queueing.add(number)
        elif name in ("EXEC", "DISCARD") and (not error or "EXECABORT" in told[0][1][1]):
            self.queueing.discard(number)
        if name in SUBSCRIBING and told and told[-1][1][0] in "*>":
            self.subscribed[number] = told[-1][1][1][2][1]

    def _unblocked(self) -> list[tuple[int, Reply]]:
        """What blocked clients got; as many as the server says are blocked no longer."""
        told: list[tuple[int, Reply]] = []
        while self.watcher.blocked_clients() < len(self.blocked):
            for number in sorted(self.blocked):
                if self.clients[number].has_reply():
                    told.append((number, self.clients[number].read()))
                    self.blocked.discard(number)
        return told

    def published(self) -> list[tuple[int, Reply]]:
        """What subscribers were told since they were last asked; a PING after it marks the end."""
        told = []
        for number, count in self.subscribed.items():
            if not count or number in self.blocked or number in self.queueing:
                continue
            client = self.clients[number]
            client.send("PING", "end")
            while True:
                reply = client.read()
                if reply == ("$", b"end") or (isinstance(reply[1], list) and reply[1][-1] == ("$", b"end")):
                    break
                told.append((number, reply))
        return sorted(told, key=repr)  # the order of patterns that match alike is Redis's own

    def state(self) -> dict[bytes, Reply]:
        reading = {
            b"string": ("GET",), b"list": ("LRANGE", 0, -1), b"hash": ("HGETALL",), b"set": ("SMEMBERS",),
            b"zset": ("ZRANGE", 0, -1, "WITHSCORES"),
        }  # fmt: skip
        found = {}
        for _, name in self.watcher.ask("KEYS", "*")[1]:
            command, *rest = reading[self.watcher.ask("TYPE", name)[1]]
            content = self._tidy((command,), self.watcher.ask(command, name, *rest))
            found[name] = content, self._tidy(("TTL",), self.watcher.ask("TTL", name))
        return found

    def close(self) -> None:
        for client in [*self.clients, self.watcher]:
            client.close()


@explore
@given(steps=trace, protocol=st.sampled_from([2, 3]))
@example(steps=[(0, ("BRPOP", "l1", "0")), (1, ("BRPOP", "l1", "0")), (2, ("LPUSH", "l1", "a", "b"))], protocol=2)
@example(steps=[(0, ("BRPOPLPUSH", "l1", "l2", "0")), (1, ("BRPOP", "l2", "0")), (2, ("LPUSH", "l1", "a"))], protocol=3)
@example(steps=[(0, ("SUBSCRIBE", "other")), (0, ("GET", "str")), (1, ("PUBLISH", "other", "x"))], protocol=2)
@example(steps=[(0, ("SUBSCRIBE", "other")), (0, ("GET", "str")), (1, ("PUBLISH", "other", "x"))], protocol=3)
def test_given_a_trace_of_several_clients_both_answer_the_same_and_end_in_the_same_state(
    both: tuple[ServedBroker, ServedBroker], steps: list[tuple[int, tuple[object, ...]]], protocol: int
) -> None:
    embedded, real = (Side(broker, protocol) for broker in both)
    try:
        for number, words in steps:
            want = real.step(number, words) + real.published()
            assert embedded.step(number, words) + embedded.published() == want, f"client {number}: {words}"
        assert embedded.blocked == real.blocked
        assert embedded.state() == real.state()
    finally:
        embedded.close()
        real.close()
        for broker in both:
            watcher = Wire(broker.port)
            wait_until(lambda it=watcher: it.blocked_clients() == 0, what="blocked clients to be forgotten")
            watcher.close()
