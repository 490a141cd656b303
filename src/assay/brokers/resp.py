"""Redis's wire format: requests parsed as they come in pieces, replies as RESP2 or RESP3.

https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from typing import Any

from fakeredis._command_args_parsing import Float
from fakeredis._helpers import NoResponse, SimpleError, SimpleString

MAX_FIELDS = 1024 * 1024
MAX_BULK = 512 * 1024 * 1024
MAX_INLINE = 64 * 1024


class ProtocolError(Exception):
    """What Redis says before it closes the connection of a client that speaks something else."""


class NullArray:
    """Nothing, where something would have been an array; RESP3 has one null for all."""


class SetReply(list[Any]):
    """Members of a set, for a client that speaks RESP3."""


class Parser:
    """Cuts a stream of bytes into requests; what is incomplete is not looked at twice."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = 0
        self._fields: list[bytes] = []
        self._missing = 0  # fields of the request in progress
        self._length = -1  # of the field in progress, -1 before it is known

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def next(self) -> list[bytes] | None:
        """The next whole request, or None. Raises ProtocolError."""
        buffer, at = self._buffer, self._at
        while True:
            if self._length >= 0:
                end = at + self._length
                if len(buffer) < end + 2:
                    break
                self._fields.append(bytes(buffer[at:end]))
                at, self._length = end + 2, -1
                self._missing -= 1
                if not self._missing:
                    fields, self._fields, self._at = self._fields, [], at
                    return fields
            end = buffer.find(b"\n", at)
            if end < 0:
                if len(buffer) - at > MAX_INLINE:
                    raise ProtocolError("Protocol error: too big inline request")
                break
            line, at = buffer[at:end], end + 1
            if self._missing:
                self._length = _bulk_length(line)
            elif line[:1] == b"*":
                self._missing = _field_count(line)
            elif words := bytes(line).split():
                self._at = at
                return words
        del buffer[:at]
        self._at = 0
        return None


def _field_count(line: bytearray) -> int:
    try:
        count = int(line[1:])
    except ValueError:
        count = MAX_FIELDS + 1
    if count > MAX_FIELDS:
        raise ProtocolError("Protocol error: invalid multibulk length")
    return max(0, count)


def _bulk_length(line: bytearray) -> int:
    if line[:1] != b"$":
        raise ProtocolError(f"Protocol error: expected '$', got '{line[:1].decode('latin-1') or ' '}'")
    try:
        length = int(line[1:])
    except ValueError:
        length = -1
    if not 0 <= length <= MAX_BULK:
        raise ProtocolError("Protocol error: invalid bulk length")
    return length


def encode(value: Any, protocol: int) -> bytes:
    """One reply of the engine as bytes; `protocol` is 2 or 3. Raises TypeError for what has no encoding."""
    if isinstance(value, bytes):
        return b"$%d\r\n%b\r\n" % (len(value), value)
    if value is None or isinstance(value, NoResponse):  # the latter: of a SUBSCRIBE in a transaction
        return b"_\r\n" if protocol == 3 else b"$-1\r\n"
    if isinstance(value, bool):
        return (b"#t\r\n" if value else b"#f\r\n") if protocol == 3 else b":%d\r\n" % value
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, SimpleString):
        return b"+%b\r\n" % value.value
    if isinstance(value, (list, tuple)):
        head = b"~%d\r\n" if isinstance(value, SetReply) else b"*%d\r\n"
        return head % len(value) + b"".join([encode(item, protocol) for item in value])
    if isinstance(value, SimpleError):
        return b"-%b\r\n" % value.value.replace("\r", " ").replace("\n", " ").encode("utf-8", "surrogateescape")
    if isinstance(value, NullArray):
        return b"_\r\n" if protocol == 3 else b"*-1\r\n"
    if isinstance(value, float):
        if protocol == 3:
            return f",{value:.17g}\r\n".encode()
        return encode(Float.encode(value, humanfriendly=False), protocol)
    if isinstance(value, str):
        return encode(value.encode(), protocol)
    if isinstance(value, dict):
        items = [item for pair in value.items() for item in pair]
        head = b"%%%d\r\n" % len(value) if protocol == 3 else b"*%d\r\n" % len(items)
        return head + b"".join([encode(item, protocol) for item in items])
    raise TypeError(f"no encoding for a reply of type {type(value).__name__}")


def encode_push(value: list[Any], protocol: int) -> bytes:
    """What comes unasked, such as a published message: a type of its own in RESP3."""
    encoded = encode(value, protocol)
    return b">" + encoded[1:] if protocol == 3 else encoded
