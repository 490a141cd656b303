"""fakeredis's command engine, taken without the rest of fakeredis, and its storage as an event loop needs it.

`import fakeredis` takes 0.6 s, of which 0.5 s are redis-py, asyncio and the client classes; the engine alone takes 0.1 s.
So the packages are put in place bare, and redis-py, of which the engine needs the names of four exceptions, is a stub.
Only the broker's own process may import this module: elsewhere redis-py is wanted whole, and nothing is stubbed then.
"""

import importlib.util
import sys
import types
from collections import deque
from typing import TYPE_CHECKING, Any


def _bare(name: str) -> None:
    """Put a package in place without running its `__init__`."""
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.submodule_search_locations is not None
    package = types.ModuleType(name)
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules[name] = package


def _stub_redis() -> None:
    names = ("RedisError", "ConnectionError", "ResponseError", "AuthenticationError")
    for module in ("redis", "redis.asyncio"):
        stub = types.ModuleType(module)
        stub.__dict__.update({name: type(name, (Exception,), {}) for name in names}, Redis=object)
        sys.modules[module] = stub
    sys.modules["redis"].__dict__["asyncio"] = sys.modules["redis.asyncio"]


if "redis" not in sys.modules and "fakeredis" not in sys.modules:
    _bare("fakeredis")
    _bare("fakeredis._socket")
    _stub_redis()

from fakeredis._core import FakeServer  # noqa: E402
from fakeredis._core._database import Database  # noqa: E402

if TYPE_CHECKING:
    from assay.brokers.session import Session

VERSION = (7, 0, 15)


class Keyspace(Database):
    """One database. It tells the engine which keys may have become ready for blocked clients."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self.blocked: dict[bytes | None, dict[Session, None]] = {}  # key -> sessions, first come first; None: any key
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

    def swap(self, other: Database) -> None:
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
        self.dbs: Keyspaces = Keyspaces(self)
        self.ready: deque[tuple[Keyspace, bytes]] = deque()
        self.waiting: dict[Session, None] = {}
        self.unblocked: list[Session] = []  # to go on with what they sent while they were blocked
        self.written: dict[Session, None] = {}  # sessions with something to send
        self.monitors: dict[Session, None] = {}
        self.commands = 0

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

    def expire_waiting(self, now: float) -> None:
        """Answer those whose time is up. `now` in seconds of the monotonic clock."""
        for session in [one for one in self.waiting if one.due(now)]:
            session.give_up()

    def next_deadline(self) -> float | None:
        """Monotonic seconds, or None when nobody waits with a limit."""
        return min((one.deadline for one in self.waiting if one.deadline is not None), default=None)
