"""Commands that fakeredis lacks, or answers otherwise than Redis 7.0 does."""

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assay.brokers.engine import VERSION, Engine

# isort: split
from fakeredis import _msgs as msgs
from fakeredis import commands_mixins  # registers fakeredis's own commands, before ours take their places
from fakeredis._command_args_parsing import DbIndex, Float, Int, Timeout
from fakeredis._commands import SUPPORTED_COMMANDS, Key, command
from fakeredis._core import CommandItem
from fakeredis._helpers import OK, NoResponse, SimpleError, SimpleString, casematch, compile_pattern

RELEASE = ".".join(str(part) for part in VERSION)
CONFIG = {
    b"appendonly": b"no",
    b"databases": b"1048576",
    b"maxmemory": b"0",
    b"maxmemory-policy": b"noeviction",
    b"notify-keyspace-events": b"",
    b"proto-max-bulk-len": b"536870912",
    b"save": b"",
    b"timeout": b"0",
}
STARTED = time.time()
msgs.INVALID_EXPIRE_MSG = "ERR invalid expire time in '{}' command"
DbIndex.MAX_VALUE = 2**20 - 1
for later in ("client maint_notifications",):  # commands of newer releases, which clients ask for to learn the release
    SUPPORTED_COMMANDS.pop(later, None)


def _decode_timeout(value: bytes) -> float:
    seconds = Float.decode(value, decode_error="ERR timeout is not a float or out of range")
    if seconds < 0:
        raise SimpleError("ERR timeout is negative")
    return seconds


Timeout.decode = _decode_timeout  # type: ignore[method-assign]


class ServerCommands:
    """Mixed into Session before fakeredis's own mixins."""

    if TYPE_CHECKING:
        engine: Engine
        address: str
        closing: bool
        _client_info: Any
        _db: Any
        _db_num: int
        _ready_key: bytes | None
        put_response: Any
        _send: Any
        lmove: Any

    # -- connection

    @command(name="SELECT", fixed=(Int,))
    def select(self, index: int) -> SimpleString:
        if not 0 <= index <= DbIndex.MAX_VALUE:
            raise SimpleError("ERR DB index is out of range")
        self._db, self._db_num = self.engine.dbs[index], index
        self._client_info["db"] = index
        return OK

    @command(name="CLIENT LIST", fixed=(), repeat=(bytes,))
    def client_list_cmd(self, *args: bytes) -> bytes:
        """With what each did last, and whether it waits in it."""
        for each in self.engine.sockets:
            each._client_info |= {"cmd": each._name.replace(" ", "|"), "flags": "b" if each._blocked else "N"}
        return bytes(super().client_list_cmd(*args))  # type: ignore[misc]

    @command(name="QUIT", fixed=(), repeat=(bytes,), flags=[msgs.FLAG_NO_SCRIPT, msgs.FLAG_TRANSACTION])
    def quit(self, *_: bytes) -> SimpleString:
        self.closing = True
        return OK

    @command(name="HELLO", fixed=(), repeat=(bytes,), flags=msgs.FLAG_NO_SCRIPT)
    def hello(self, *args: bytes) -> dict[str, Any]:
        """HELLO [protover [AUTH user password] [SETNAME name]]"""
        protocol = self._client_info.protocol_version
        if args:
            protocol = Int.decode(args[0], "ERR Protocol version is not an integer or out of range")
            if protocol not in (2, 3):
                raise SimpleError("NOPROTO unsupported protocol version")
        rest = list(args[1:])
        while rest:
            if casematch(rest[0], b"setname") and len(rest) > 1:
                self._client_info["name"] = rest[1].decode()
                del rest[:2]
            elif casematch(rest[0], b"auth") and len(rest) > 2:
                self._auth(rest[1], rest[2])  # type: ignore[attr-defined]
                del rest[:3]
            else:
                raise SimpleError(f"ERR Syntax error in HELLO option '{rest[0].decode('utf-8', 'replace')}'")
        self._client_info["resp"] = protocol
        return {
            "server": "redis",
            "version": RELEASE,
            "proto": protocol,
            "id": self._client_info["id"],
            "mode": "standalone",
            "role": "master",
            "modules": [],
        }

    # -- server

    @command(name="INFO", fixed=(), repeat=(bytes,))
    def info(self, *sections: bytes) -> bytes:
        wanted = {section.decode().lower() for section in sections} - {"all", "default", "everything"}
        parts = {name: fields for name, fields in self._facts().items() if not wanted or name.lower() in wanted}
        return "\r\n".join(
            f"# {name}\r\n" + "".join(f"{field}:{value}\r\n" for field, value in fields.items())
            for name, fields in parts.items()
        ).encode()

    def _facts(self) -> dict[str, dict[str, Any]]:
        engine = self.engine
        with open("/proc/self/statm") as statm:
            memory = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        keyspace = {}
        for index, database in sorted(engine.dbs.items()):
            if len(database):
                expires = sum(item.expireat is not None for item in database._dict.values())
                keyspace[f"db{index}"] = f"keys={len(database)},expires={expires},avg_ttl=0"
        uptime = int(time.time() - STARTED)
        server = {"redis_version": RELEASE, "server_name": "assay-fakeredis", "redis_mode": "standalone"}
        process = {"process_id": os.getpid(), "uptime_in_seconds": uptime, "uptime_in_days": uptime // 86400}
        return {
            "Server": server | process,
            "Clients": {"connected_clients": len(engine.sockets), "blocked_clients": len(engine.waiting)},
            "Memory": {"used_memory": memory, "maxmemory": 0, "maxmemory_policy": "noeviction"},
            "Persistence": {"loading": 0, "rdb_bgsave_in_progress": 0, "aof_enabled": 0},
            "Stats": {"total_commands_processed": engine.commands, "evicted_keys": 0},
            "Replication": {"role": "master", "connected_slaves": 0},
            "CPU": {"used_cpu_user": os.times().user, "used_cpu_sys": os.times().system},
            "Cluster": {"cluster_enabled": 0},
            "Keyspace": keyspace,
        }

    @command(name="CONFIG GET", fixed=(bytes,), repeat=(bytes,))
    def config_get(self, *patterns: bytes) -> dict[bytes, bytes]:
        known = CONFIG | self.engine.config
        return {
            name: value
            for name, value in known.items()
            if any(compile_pattern(pattern.lower()).match(name) for pattern in patterns)
        }

    @command(name="CONFIG RESETSTAT", fixed=())
    def config_resetstat(self) -> SimpleString:
        self.engine.commands = 0
        return OK

    @command(name="MONITOR", fixed=(), flags=msgs.FLAG_NO_SCRIPT)
    def monitor(self) -> SimpleString:
        self.engine.monitors[self] = None  # type: ignore[index]
        return OK

    def _show_monitors(self, fields: Sequence[bytes]) -> None:
        words = " ".join('"' + repr(field)[2:-1].replace('"', '\\"') + '"' for field in fields)
        line = f"+{self.engine.now:.6f} [{self._db_num} {self.address}] {words}\r\n".encode()
        for session in self.engine.monitors:
            session._send(line)

    @command(name="SHUTDOWN", fixed=(), repeat=(bytes,), flags=msgs.FLAG_NO_SCRIPT)
    def shutdown_server(self, *_: bytes) -> NoResponse:
        raise SystemExit(0)

    # -- blocking commands: a session is served from the key that became ready, as Redis 7.0 does

    def _served_from(self, keys: Sequence[bytes]) -> Sequence[bytes]:
        return keys if self._ready_key is None else [self._ready_key]

    def _bpop_pass(self, keys: Sequence[bytes], op: Any, first_pass: bool) -> Any:
        return super()._bpop_pass(self._served_from(keys), op, first_pass)  # type: ignore[misc]

    def _bzpop(self, keys: Sequence[bytes], reverse: bool, first_pass: bool) -> Any:
        for key in keys if first_pass else ():
            self._typed(key, b"zset")
        return super()._bzpop(self._served_from(keys), reverse, first_pass)  # type: ignore[misc]

    def _lmpop(self, keys: Sequence[bytes], count: int, left: bool, first_pass: bool) -> Any:
        """fakeredis's leaves an empty list behind."""
        for key in self._served_from(keys):
            item = CommandItem(key, self._db, item=self._db.get(key))
            if item.value is None or not (first_pass or isinstance(item.value, list)):
                continue
            if not isinstance(item.value, list):
                raise SimpleError(msgs.WRONGTYPE_MSG)
            popped = item.value[:count] if left else item.value[: -count - 1 : -1]
            if popped:
                del item.value[slice(None, count) if left else slice(-len(popped), None)]
                item.updated()
                item.writeback()
                return [key, popped]
        return None

    @command(name="BLMOVE", fixed=(bytes, bytes, SimpleString, SimpleString, Timeout), flags=msgs.FLAG_NO_SCRIPT)
    def blmove(self, source: bytes, target: bytes, wherefrom: bytes, whereto: bytes, timeout: float) -> Any:
        """fakeredis's does not block."""
        for where in (wherefrom, whereto):
            if where.lower() not in (b"left", b"right"):
                raise SimpleError(msgs.SYNTAX_ERROR_MSG)

        def attempt(first_pass: bool) -> Any:
            src = CommandItem(source, self._db, item=self._db.get(source))
            if src.value is None or not (first_pass or isinstance(src.value, list)):
                return None
            self._typed(source, b"list")
            self._typed(target, b"list")
            dst = CommandItem(target, self._db, item=self._db.get(target), default=[])
            moved = self.lmove(src, src if source == target else dst, wherefrom, whereto)
            src.writeback()
            if source != target:
                dst.writeback()
            return moved

        return self._blocking(timeout, attempt)  # type: ignore[attr-defined]

    def _typed(self, key: bytes, wanted: bytes) -> None:
        item = CommandItem(key, self._db, item=self._db.get(key))
        if item.value is not None and self._key_value_type(item).value != wanted:  # type: ignore[attr-defined]
            raise SimpleError(msgs.WRONGTYPE_MSG)


__all__ = ["Key", "ServerCommands", "commands_mixins"]
