"""One client of the embedded broker: its requests run on fakeredis's engine, its replies wait in `outbox`.

What differs from fakeredis's own socket: a command that blocks parks the session instead of a thread, is served in the
order of arrival, and never for a client that is gone; replies keep their wire type.
"""

import time
import traceback
from collections.abc import Callable
from typing import Any, ClassVar

from assay.brokers import engine as engines  # first: it decides how fakeredis is imported
from assay.brokers.engine import Engine, Keyspace
from assay.brokers.resp import NullArray, SetReply, encode, encode_push

# isort: split
from fakeredis import _msgs as msgs
from fakeredis._commands import COMMANDS_WITH_SUB, SUPPORTED_COMMANDS, Signature
from fakeredis._helpers import QUEUED, NoResponse, SimpleError, decode_command_bytes
from fakeredis._socket._base import BaseFakeSocket
from fakeredis._socket._resp import convert_to_resp2
from fakeredis.commands_mixins import (
    AclCommandsMixin,
    BitmapCommandsMixin,
    ConnectionCommandsMixin,
    GenericCommandsMixin,
    GeoCommandsMixin,
    HashCommandsMixin,
    ListCommandsMixin,
    PubSubCommandsMixin,
    ScriptingCommandsMixin,
    ServerCommandsMixin,
    SetCommandsMixin,
    StreamsCommandsMixin,
    StringCommandsMixin,
    TransactionsCommandsMixin,
)
from fakeredis.commands_mixins.sortedset_mixin import SortedSetCommandsMixin

from assay.brokers.commands import ServerCommands

SHOWN = 128  # bytes of a command and its arguments in an error
SETS = {"smembers", "sunion", "sinter", "sdiff", "spop"}
PARKED = NoResponse()
WAITS_FOR_SEVERAL = {"blpop", "brpop", "bzpopmin", "bzpopmax"}
WAITS_FOR_ONE = {"brpoplpush", "blmove"}
WAITS_FOR_NUMBERED = {"blmpop", "bzmpop"}
NULL_ARRAYS = {*WAITS_FOR_SEVERAL, *WAITS_FOR_NUMBERED, "exec", "lmpop", "zmpop", "xread", "xreadgroup"}
PUBSUB_ONLY = BaseFakeSocket.ACCEPTED_COMMANDS_WHILE_PUBSUB | {"quit"}


class Session(
    ServerCommands,
    BaseFakeSocket,
    GenericCommandsMixin,
    ScriptingCommandsMixin,
    HashCommandsMixin,
    ConnectionCommandsMixin,
    ListCommandsMixin,
    ServerCommandsMixin,
    StringCommandsMixin,
    TransactionsCommandsMixin,
    PubSubCommandsMixin,
    SetCommandsMixin,
    BitmapCommandsMixin,
    SortedSetCommandsMixin,
    StreamsCommandsMixin,
    GeoCommandsMixin,
    AclCommandsMixin,
):
    known: ClassVar[dict[bytes, tuple[str, str, Signature]]] = {}  # request's first field -> name, method, signature

    def __init__(self, engine: Engine, address: str, gone: Callable[[], bool] = lambda: False) -> None:
        super().__init__(engine, 0, Session, client_info={"addr": address, "resp": 2})
        self.engine = engine
        self.address = address
        self.outbox: list[bytes] = []
        self.closing = False  # the connection ends when the outbox is sent
        self.deadline: float | None = None
        self._gone = gone
        self._attempt: Callable[[bool], Any] | None = None
        self._shape: Callable[[Any], Any] | None = None
        self._wait_keys: list[bytes | None] = []
        self._name = ""
        self._arguments: list[bytes] = []
        self._ready_key: bytes | None = None

    # -- requests

    def execute(self, fields: list[bytes]) -> None:
        """Run one request; its reply, if it has one, is in the outbox afterwards."""
        engine = self.engine
        engine.now = time.time()
        engine.commands += 1
        if engine.monitors:
            self._show_monitors(fields)
        try:
            self._answer(fields)
        except Exception:
            traceback.print_exc()
            self._reply(SimpleError(f"ERR the embedded broker failed on {fields[0]!r}; its log tells more"))
        if engine.ready:
            engine.serve_ready()

    def _answer(self, fields: list[bytes]) -> None:
        engine = self.engine
        accepted = False
        name = ""
        try:
            name, method, sig, arguments = self._find(fields)
            engine.acl.validate_command(self._client_info.user, self._client_info, fields)
            sig.check_arity(arguments, engine.version)
            if self._pubsub and name not in PUBSUB_ONLY and self._client_info.protocol_version == 2:
                raise SimpleError(PUBSUB_ERROR.format(name.replace(" ", "|")))
            func = getattr(self, method)
            if self._transaction is not None and msgs.FLAG_TRANSACTION not in sig.flags:
                self._transaction.append((func, sig, arguments))
                result: Any = QUEUED
            else:
                accepted = True
                self._name, self._arguments = name, arguments
                result = self._run_command(func, sig, arguments, False)
        except SimpleError as error:
            if self._transaction is not None and not accepted:
                self._transaction_failed = True
            if name == "exec" and not accepted:
                error.value = "EXECABORT Transaction discarded because of: " + error.value.removeprefix("ERR ")
                self._forget_transaction()
                self._clear_watches()
            result = error
        suppressed = self._reply_off or self._reply_skip
        self._reply_skip, self._reply_skip_next = self._reply_skip_next, False
        if not suppressed and not isinstance(result, NoResponse):
            self._reply(result)

    def _find(self, fields: list[bytes]) -> tuple[str, str, Signature, list[bytes]]:
        found = self.known.get(fields[0])
        if found is not None:
            return *found, fields[1:]
        name, arguments = decode_command_bytes(fields[0]), fields[1:]
        if name in COMMANDS_WITH_SUB and arguments:
            name, arguments = f"{name} {decode_command_bytes(arguments[0])}", arguments[1:]
        sig = SUPPORTED_COMMANDS.get(name)
        if sig is None or not hasattr(self, sig.func_name):
            raise self._unknown(name, fields)
        if " " not in name:
            self.known[fields[0]] = name, sig.func_name, sig
        return name, sig.func_name, sig, arguments

    @staticmethod
    def _unknown(name: str, fields: list[bytes]) -> SimpleError:
        container, _, sub = name.partition(" ")
        if sub:
            sub = fields[1].decode("utf-8", "replace")
            return SimpleError(f"ERR unknown subcommand '{sub}'. Try {container.upper()} HELP.")
        shown = b""
        for field in fields[1:]:
            if len(shown) < SHOWN:
                shown += b"'%b' " % field.partition(b"\0")[0][: SHOWN - len(shown)]
        given = fields[0].partition(b"\0")[0][:SHOWN]
        text = b"ERR unknown command '%b', with args beginning with: %b" % (given, shown)
        return SimpleError(text.decode("utf-8", "surrogateescape"))

    def _run_command(self, func: Any, sig: Signature, args: list[Any], from_script: bool) -> Any:
        """As fakeredis's, without other servers' branches, and without notifications: Redis has them off by default."""
        items: list[Any] = []
        try:
            given = len(args)
            applied = sig.apply(args, self._db, self.engine.version)
            if from_script and msgs.FLAG_NO_SCRIPT in sig.flags:
                raise SimpleError(msgs.COMMAND_IN_SCRIPT_MSG)
            if len(applied) == 1:
                return applied[0]
            args, items = applied
            result = func(*args)
            if self._resp_version == 2 and msgs.FLAG_SKIP_CONVERT_TO_RESP2 not in sig.flags:
                result = convert_to_resp2(result)
            elif sig.name in SETS and isinstance(result, list):
                result = SetReply(result)
            if result is None and not from_script:
                result = _null(sig.name, given)
        except SimpleError as error:
            result = error
        for item in items:
            item.writeback(remove_empty_val=msgs.FLAG_LEAVE_EMPTY_VAL not in sig.flags)
        return result

    def add_subkey_event(self, event: bytes, key: bytes, subkeys: Any) -> None:
        """Notifications of hash fields: off."""

    # -- replies

    def _send(self, data: bytes) -> None:
        self.outbox.append(data)
        self.engine.written[self] = None

    def _reply(self, result: Any) -> None:
        self._send(encode(result, self._client_info.protocol_version))

    def put_response(self, msg: Any) -> None:
        """Messages of subscriptions, and what subscribing itself answers."""
        if not self._reply_off:
            self._send(encode_push(msg, self._client_info.protocol_version))

    def refuse(self, message: str) -> None:
        """A protocol error: said, and the end of the connection."""
        self._send(encode(SimpleError(f"ERR {message}"), 2))
        self.closing = True

    # -- blocking

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
        self._wait_keys = self._awaited()
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
            result = _null(self._name, 0)
        self._reply(convert_to_resp2(result) if self._client_info.protocol_version == 2 else result)
        self.engine.unblocked.append(self)

    def _unpark(self) -> None:
        for key in self._wait_keys:
            sessions = self._db.blocked[key]
            del sessions[self]
            if not sessions:
                del self._db.blocked[key]
        self._wait_keys = []
        self._blocked, self._attempt, self._shape, self.deadline = False, None, None, None
        self.engine.unpark(self)

    @property
    def parked(self) -> bool:
        return self._blocked

    # -- the end

    def kill(self) -> None:
        """CLIENT KILL."""
        self.closing = True
        self.engine.written[self] = None

    def close(self) -> None:
        """Forget the client: what it waited for, watched and subscribed to."""
        if self._blocked:
            self._unpark()
        if self in self.engine.sockets:
            self.engine.sockets.remove(self)
        self.engine.written.pop(self, None)
        self.engine.monitors.pop(self, None)
        self._discard_subscriptions()
        self._clear_watches()
        self.outbox.clear()


PUBSUB_ERROR = (
    "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"
)


def _null(name: str, given: int) -> NullArray | None:
    """The kind of nothing that a command answers with; `given` arguments it had (a pop with a count is of many)."""
    return NullArray() if name in NULL_ARRAYS or (name in ("lpop", "rpop") and given > 1) else None


__all__ = ["Session", "engines"]
