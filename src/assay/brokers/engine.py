"""fakeredis's command engine, taken without the rest of fakeredis, and its storage as an event loop needs it.

`import fakeredis` takes 0.6 s, of which 0.5 s are redis-py, asyncio and the client classes; the engine alone takes
0.1 s. So the packages are put in place bare, and redis-py, of which the engine needs four exceptions' names, is a stub.
Only the broker's own process may import this module: elsewhere redis-py is wanted whole, and nothing is stubbed then.
"""

import heapq
import importlib.util
import itertools
import sys
import types
from collections import deque
from typing import TYPE_CHECKING, Any


def _bare(name: str) -> None:
    """Put a package in place without running its `__init__`."""
    spec = importlib.util.find_spec(name)
    places = spec.submodule_search_locations if spec else None
    if places is None:
        raise ImportError(f"the embedded broker needs the package {name}")
    package = types.ModuleType(name)
    package.__path__ = list(places)
    sys.modules[name] = package


def _stub_redis() -> None:
    names = ("RedisError", "ConnectionError", "ResponseError", "AuthenticationError")
    for module in ("redis", "redis.asyncio"):
        stub = types.ModuleType(module)
        stub.__dict__.update({name: type(name, (Exception,), {}) for name in names}, Redis=object)
        sys.modules[module] = stub
    sys.modules["redis"].__dict__["asyncio"] = sys.modules["redis.asyncio"]
    sys.modules["valkey"] = None  # type: ignore[assignment]  # fakeredis takes it in where it is installed


if "redis" not in sys.modules and "fakeredis" not in sys.modules:
    _bare("fakeredis")
    _bare("fakeredis._socket")
    _stub_redis()

from fakeredis._core import FakeServer  # noqa: E402
from fakeredis._core._database import Database  # noqa: E402

if TYPE_CHECKING:
    from assay.brokers.blocking import Blocking
    from assay.brokers.session import Session

VERSION = (7, 0, 15)


class Keyspace(Database):
    """One database. It tells the engine which keys may have become ready for blocked clients."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self.blocked: dict[bytes | None, dict[Blocking, None]] = {}  # key -> sessions, first come first; None: any key
        super().__init__(engine.lock)

    @property
    def time(self) -> float:
        """Seconds since the epoch, the same for all databases for the length of one command, as in Redis."""
        return self._engine.now

    @time.setter
    def time(self, value: float) -> None:
        """fakeredis sets the time of every database before every command; here there is one clock."""

    def notify_watch(self, key: bytes) -> None:
        watching = self._watches.get(key)
        if watching:
            for session in watching:
                session.notify_watch()
        if self.blocked and (key in self.blocked or None in self.blocked):
            self._engine.ready.append((self, key))

    def wake_all(self) -> None:
        """CLIENT UNBLOCK has marked a session."""
        self._engine.unblock_marked()

    def swap(self, other: "Keyspace") -> None:  # type: ignore[override]
        super().swap(other)
        for keyspace in (self, other):
            for key in {*keyspace._watches, *(key for key in keyspace.blocked if key is not None)}:
                if key in self._dict or key in other._dict:
                    keyspace.notify_watch(key)

    # The same as in MutableMapping, without an exception for every key that is not there.

    def get(self, key: bytes, default: Any = None) -> Any:
        item = self._dict.get(key)
        if item is None:
            return default
        if item.expireat is not None and self.expired(item):
            del self._dict[key]
            return default
        return item

    def __contains__(self, key: object) -> bool:
        return isinstance(key, bytes) and self.get(key) is not None

    def pop(self, key: bytes, default: Any = None) -> Any:
        return self._dict.pop(key, default)

    def setdefault(self, key: bytes, default: Any = None) -> Any:
        item = self.get(key)
        if item is None:
            self[key] = item = default
        return item


class Keyspaces(dict[int, Keyspace]):
    """Databases by index, made when first asked for."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def __missing__(self, index: int) -> Keyspace:
        made = self[index] = Keyspace(self._engine)
        return made


class Engine(FakeServer):
    """What all sessions share: databases, clock, subscribers, and who waits for what."""

    def __init__(self) -> None:
        super().__init__(version=VERSION[:2], server_type="redis")
        self.now = 0.0
        self.dbs: Keyspaces = Keyspaces(self)  # type: ignore[assignment]
        self.ready: deque[tuple[Keyspace, bytes]] = deque()
        self.waiting: dict[Blocking, None] = {}
        self.unblocked: list[Blocking] = []  # to go on with what they sent while they were blocked
        self.written: dict[Blocking, None] = {}  # sessions with something to send
        self.monitors: dict[Session, None] = {}
        self.commands = 0
        self._deadlines: list[tuple[float, int, Blocking]] = []
        self._order = itertools.count()

    def serve_ready(self) -> None:
        """Give what has come to those who wait for it, in the order in which they came.

        As Redis's handleClientsBlockedOnKeys does after a command or a whole transaction (src/blocked.c): keys in the
        order in which they were written, for each key the clients first come first. Serving one may make others ready.
        """
        while self.ready:
            keyspace, key = self.ready.popleft()
            for wanted in (key, None):
                for session in list(keyspace.blocked.get(wanted, ())):
                    if session.waits_in(keyspace):
                        session.try_serve(key)

    def unblock_marked(self) -> None:
        for session in list(self.waiting):
            session.unblock_if_marked()

    def park(self, session: "Blocking") -> None:
        self.waiting[session] = None
        if session.deadline is not None:
            if len(self._deadlines) > 64 + 2 * len(self.waiting):  # mostly of those that have been served
                self._deadlines = [entry for entry in self._deadlines if entry[2].deadline == entry[0]]
                heapq.heapify(self._deadlines)
            heapq.heappush(self._deadlines, (session.deadline, next(self._order), session))

    def unpark(self, session: "Blocking") -> None:
        self.waiting.pop(session, None)

    def expire_waiting(self, now: float) -> None:
        """Answer those whose time is up. `now` in seconds of the monotonic clock."""
        while (deadline := self.next_deadline()) is not None and deadline <= now:
            heapq.heappop(self._deadlines)[2].give_up()

    def next_deadline(self) -> float | None:
        """Monotonic seconds, or None when nobody waits with a limit."""
        deadlines = self._deadlines
        while deadlines and deadlines[0][2].deadline != deadlines[0][0]:
            heapq.heappop(deadlines)
        return deadlines[0][0] if deadlines else None
