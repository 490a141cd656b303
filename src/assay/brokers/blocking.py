"""How a session waits: parked instead of a thread, served first come first, never for a client that is gone."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from assay.brokers.engine import Engine, Keyspace
from assay.brokers.resp import NullArray

# isort: split
from fakeredis import _msgs as msgs
from fakeredis._helpers import NoResponse, SimpleError
from fakeredis._socket._resp import convert_to_resp2

PARKED = NoResponse()
WAITS_FOR_SEVERAL = {"blpop", "brpop", "bzpopmin", "bzpopmax"}
WAITS_FOR_ONE = {"brpoplpush", "blmove"}
WAITS_FOR_NUMBERED = {"blmpop", "bzmpop"}
NULL_ARRAYS = {*WAITS_FOR_SEVERAL, *WAITS_FOR_NUMBERED, "exec", "lmpop", "zmpop", "xread", "xreadgroup"}


class Blocking:
    """Mixed into Session before fakeredis's socket, whose `_blocking` waits on a condition."""

    deadline: float | None = None  # monotonic seconds
    _attempt: Callable[[bool], Any] | None = None
    _shape: Callable[[Any], Any] | None = None
    _wait_keys: tuple[bytes | None, ...] = ()
    _name = ""  # of the command that runs, and its arguments
    _arguments: list[bytes]
    _ready_key: bytes | None = None

    if TYPE_CHECKING:
        engine: Engine
        closing: bool
        _gone: Callable[[], bool]
        _blocked: bool
        _in_transaction: bool
        _unblock_reason: bytes | None
        _db: Any
        _client_info: Any
        _reply: Callable[[Any], None]

    def _blocking(
        self, timeout: float | None, func: Callable[[bool], Any], shape: Callable[[Any], Any] | None = None
    ) -> Any:
        """Try once; what cannot be answered yet parks the session until a key is written, or `timeout` seconds pass."""
        result = func(True)
        if result is not None or self._in_transaction:
            return result if shape is None else shape(result)
        self._attempt, self._shape = func, shape
        self._blocked = True
        self.deadline = time.monotonic() + timeout if timeout else None
        self._wait_keys = tuple(self._awaited())
        for key in self._wait_keys:
            self._db.blocked.setdefault(key, {})[self] = None
        self.engine.park(self)
        return PARKED

    def _awaited(self) -> list[bytes | None]:
        name, arguments = self._name, self._arguments
        if name in WAITS_FOR_SEVERAL:
            return [*dict.fromkeys(arguments[:-1])]
        if name in WAITS_FOR_ONE:
            return [arguments[0]]
        if name in WAITS_FOR_NUMBERED:
            return [*dict.fromkeys(arguments[2 : 2 + int(arguments[1])])]
        return [None]

    def waits_in(self, keyspace: Keyspace) -> bool:
        return self._blocked and self._db is keyspace

    def try_serve(self, key: bytes) -> None:
        """`key` was written: answer if that is what the session waits for, unless its client is gone."""
        if self._gone():
            self._unpark()
            self.closing = True
            self.engine.written[self] = None
            return
        assert self._attempt is not None
        self._ready_key = key
        try:
            result = self._attempt(False)
        except SimpleError as error:
            self._resume(error)
        else:
            if result is not None:
                self._resume(result if self._shape is None else self._shape(result))
        finally:
            self._ready_key = None

    def give_up(self) -> None:
        """Its time is up."""
        self._resume(None if self._shape is None else self._shape(None))

    def unblock_if_marked(self) -> None:
        reason, self._unblock_reason = self._unblock_reason, None
        if reason == b"error":
            self._resume(SimpleError(msgs.UNBLOCKED_MSG))
        elif reason is not None:
            self.give_up()

    def _resume(self, result: Any) -> None:
        self._unpark()
        if result is None:
            result = null_of(self._name, 0)
        self._reply(convert_to_resp2(result) if self._client_info.protocol_version == 2 else result)
        self.engine.unblocked.append(self)

    def _unpark(self) -> None:
        for key in self._wait_keys:
            sessions = self._db.blocked[key]
            del sessions[self]
            if not sessions:
                del self._db.blocked[key]
        self._wait_keys = ()
        self._blocked, self._attempt, self._shape, self.deadline = False, None, None, None
        self.engine.unpark(self)

    @property
    def parked(self) -> bool:
        return self._blocked


def null_of(name: str, given: int) -> NullArray | None:
    """The kind of nothing that a command answers with; `given` arguments it had (a pop with a count is of many)."""
    return NullArray() if name in NULL_ARRAYS or (name in ("lpop", "rpop") and given > 1) else None
