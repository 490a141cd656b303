"""The channel through a Redis: lines are pushed to one list, under keys of the run's own prefix."""

import time
from collections import deque
from typing import Any

import redis

from assay.brokers.sweeper import sweep
from assay.elsewhere.channel import AWAY_S, HOLD_S
from assay.elsewhere.clocks import Reading
from assay.errors import HarnessError, UsageError

ANSWER_S = 10.0
LOOK_S = 5.0  # of one blocking pop
MOST = 1000  # lines at a time
AGAIN_S = 0.1
CONNECTION = (redis.ConnectionError, redis.TimeoutError, OSError)


class RedisThere:
    """Connections are taken from a deque and put back, without a lock: a signal handler may send while a line is sent.

    A forked child makes connections of its own, since the recorder asks for another one then.
    """

    def __init__(self, url: str, prefix: str) -> None:
        self._pool = redis.ConnectionPool.from_url(url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S)
        self._prefix = prefix
        self._free: deque[Any] = deque()

    def forked(self) -> None:
        """The parent's connections are the parent's."""
        self._free = deque()

    def _ask(self, *command: Any) -> Any:
        try:
            connection = self._free.pop()
        except IndexError:
            connection = self._pool.connection_class(**self._pool.connection_kwargs)
        try:
            connection.send_command(*command)
            answer = connection.read_response()
        except BaseException:  # a time limit's too: what is still to come must not be read as another one's answer
            connection.disconnect()
            raise
        self._free.append(connection)
        return answer

    def boot(self, worker: str) -> bytes:
        boot = self._ask("GET", f"{self._prefix}boot:{worker}")
        if boot is None:
            raise ValueError(f"there is no run that has started {worker}")
        return bytes(boot)

    def send(self, line: bytes) -> None:
        until = time.monotonic() + AWAY_S
        while True:
            try:
                self._ask("RPUSH", f"{self._prefix}lines", line)
                return
            except CONNECTION as error:
                if time.monotonic() > until:
                    raise OSError(f"nothing could be recorded for {AWAY_S:g} s: {error}") from None
                time.sleep(AGAIN_S)

    def script(self, invocation: str) -> bytes | None:
        found = self._ask("GET", f"{self._prefix}script:{invocation}")
        return None if found is None else bytes(found)

    def count(self, name: str) -> int:
        return int(self._ask("INCR", f"{self._prefix}count:{name}")) - 1

    def hold(self, token: str) -> None:
        until = time.monotonic() + HOLD_S
        while time.monotonic() < until and self._ask("BLPOP", f"{self._prefix}go:{token}", LOOK_S) is None:
            pass

    def clock(self) -> Reading:
        before = time.monotonic_ns()
        answer = self._ask("TIME")
        return reading(answer, before, time.monotonic_ns())


class RedisHere:
    """`url` is redis-py's. The commands of the harness's thread that takes lines have a client of their own."""

    def __init__(self, url: str, prefix: str, shown: str) -> None:
        self.shown = shown
        self._prefix = prefix
        self._client = redis.Redis.from_url(url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S)
        self._taker = redis.Redis.from_url(url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S)
        try:
            self._client.ping()
        except (redis.RedisError, OSError) as error:
            raise UsageError(f"workers: recorder: the Redis at {shown} cannot be used: {error}") from None

    def _ask(self, *command: Any) -> Any:
        try:
            return self._client.execute_command(*command)  # type: ignore[no-untyped-call]
        except (redis.RedisError, OSError) as error:
            raise HarnessError(f"the recorders' Redis at {self.shown} does not answer: {error}") from None

    def give_boot(self, worker: str, boot: bytes) -> None:
        self._ask("SET", f"{self._prefix}boot:{worker}", boot)

    def give_script(self, invocation: str, script: bytes) -> None:
        self._ask("SET", f"{self._prefix}script:{invocation}", script)

    def forget(self, invocation: str) -> None:
        self._ask("DEL", f"{self._prefix}script:{invocation}", f"{self._prefix}count:{invocation}")

    def take(self, timeout_s: float) -> list[bytes]:
        """The one reader of the list."""
        key = f"{self._prefix}lines"
        try:
            first: Any = self._taker.blpop([key], timeout_s)
            if first is None:
                return []
            more: Any = self._taker.lrange(key, 0, MOST - 1)
            if more:
                self._taker.ltrim(key, len(more), -1)
        except (redis.RedisError, OSError) as error:
            raise HarnessError(f"the recorders' Redis at {self.shown} does not answer: {error}") from None
        return [first[1], *more]

    def release(self, token: str) -> None:
        self._ask("RPUSH", f"{self._prefix}go:{token}", ".")

    def clock(self) -> Reading:
        before = time.monotonic_ns()
        answer = self._ask("TIME")
        return reading(answer, before, time.monotonic_ns())

    def close(self) -> None:
        try:
            sweep(self._client, self._prefix)
        except (redis.RedisError, OSError) as error:
            raise HarnessError(f"keys {self._prefix}* are left at {self.shown}: {error}") from None
        finally:
            self._client.close()
            self._taker.close()


def reading(answer: Any, before_ns: int, after_ns: int) -> Reading:
    """From the answer of TIME, which was read at some moment between the two: seconds, and microseconds."""
    seconds, microseconds = answer
    shared = int(seconds) * 1_000_000_000 + int(microseconds) * 1000
    middle = (before_ns + after_ns) // 2
    return Reading(shared - middle, (after_ns - before_ns) // 2 + 1000)
