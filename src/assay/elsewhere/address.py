"""What a worker elsewhere is told in its environment: where its recorder sends to, and what it is called there.

Runs in the worker: standard library and msgspec only.
"""

import base64
import binascii

import msgspec

VARIABLE = "ASSAY_RECORDER"


class Address(msgspec.Struct, frozen=True):
    """`place` is a Redis, as redis-py knows it, or a folder; `prefix` is before every key there; `worker` is "w1"."""

    place: str
    prefix: str
    worker: str

    def text(self) -> str:
        """One word of letters, digits, - and _: no shell between here and there sees anything in it to expand."""
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")


def read(text: str) -> Address:
    """Raises ValueError for what `text` has not made."""
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return msgspec.json.decode(data, type=Address)
    except (binascii.Error, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(f"{VARIABLE} is not what Assay has put there: {error}") from None
