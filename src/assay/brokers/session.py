"""One client of the embedded broker: its requests run on fakeredis's engine, its replies wait in `outbox`.

What differs from fakeredis's own socket: a command that blocks parks the session instead of a thread, is served in the
order of arrival, and never for a client that is gone; replies keep their wire type.
"""

import time
import traceback
from collections.abc import Callable
from typing import Any, ClassVar

from assay.brokers import engine as engines  # first: it decides how fakeredis is imported
from assay.brokers.engine import Engine
from assay.brokers.resp import SetReply, encode, encode_push

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

from assay.brokers.blocking import Blocking, null_of
from assay.brokers.commands import ServerCommands

SHOWN = 128  # bytes of a command and its arguments in an error
SETS = {"smembers", "sunion", "sinter", "sdiff", "spop"}
PUBSUB_ONLY = BaseFakeSocket.ACCEPTED_COMMANDS_WHILE_PUBSUB | {"quit"}


class Session(
    Blocking,
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
        self._gone = gone

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
                result = null_of(sig.name, given)
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


__all__ = ["Session", "engines"]
