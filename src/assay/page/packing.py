"""The timelines of a page as its data: JSON, deflated, in base 64, as much of it as there is room for."""

import base64
import zlib
from collections.abc import Sequence

import msgspec

from assay.page.draw import scene, thinner
from assay.page.gather import Found
from assay.page.reading import Reading, worst
from assay.page.scene import Scene
from assay.page.strings import Strings

PART = 1000  # events of a scene that is shown in part where it does not fit; a smaller one is left out as a whole
EXACT = 50  # a scene in part has at most one in so many of its events less than would fit
_encode = msgspec.json.Encoder().encode


class Packed(msgspec.Struct, frozen=True):
    """`scenes`: how many, of the first ones; `events`: how many of theirs; `data`: "" where there is no scene."""

    data: str = ""
    scenes: int = 0
    events: int = 0


class _Growing:
    """A JSON document {"parts": [...]} that is deflated as it grows: what its size is with one more is known then."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(9)
        self._done = [self._deflate.compress(b'{"parts":[')]
        self._bytes = len(self._done[0])
        self._separator = b""

    def add(self, part: bytes, room: int) -> bool:
        """Whether it fits into `room` characters; else all is as before."""
        deflate = self._deflate.copy()
        more = deflate.compress(self._separator + part)
        size = self._bytes + len(more) + len(_end(deflate.copy()))
        if -(-size // 3) * 4 > room:
            return False
        self._deflate, self._separator = deflate, b","
        self._done.append(more)
        self._bytes += len(more)
        return True

    def copy(self) -> "_Growing":
        other = _Growing()
        other._deflate, other._done = self._deflate.copy(), [*self._done]
        other._bytes, other._separator = self._bytes, self._separator
        return other

    def text(self) -> str:
        return base64.b64encode(b"".join([*self._done, _end(self._deflate)])).decode()


def _end(deflate: "zlib._Compress") -> bytes:
    return deflate.compress(b"]}") + deflate.flush()


def packed(found: Found, room: int) -> Packed:
    """The scenes in their order, which is the worst row's first, until the next one has no room.

    Of a large one that has none, the worst lives are in it. `room` is in characters.
    """
    growing, strings = _Growing(), Strings()
    scenes = events = 0
    for reading, rows in zip(found.readings, found.rows, strict=True):
        mark = len(strings)
        whole = scene(reading, rows, found.named, strings)
        if growing.add(_part(whole, strings.since(mark)), room):
            scenes, events = scenes + 1, events + len(reading.events)
            continue
        strings.forget(mark)
        part = _in_part(growing, whole, reading, strings, room) if len(reading.events) > PART else None
        if part:
            growing, scenes, events = part[0], scenes + 1, events + part[1]
        break
    return Packed(growing.text(), scenes, events) if scenes else Packed()


def _in_part(
    growing: _Growing, whole: Scene, reading: Reading, strings: Strings, room: int
) -> tuple[_Growing, int] | None:
    """With as many of its events as fit, and how many these are; None: it has no room at all."""
    mark = len(strings)
    rank = {life.id: number for number, life in enumerate(whole.lives)}
    low, high, best = 0, len(reading.events), None
    while high - low > len(reading.events) // EXACT:
        most = (low + high) // 2
        chosen = worst(reading.events, rank, most)
        tried = growing.copy()
        if tried.add(_part(thinner(whole, reading, chosen, strings), strings.since(mark)), room):
            low, best = most, (tried, len(chosen))
        else:
            high = most
        strings.forget(mark)
    return best


def _part(shown: Scene, strings: list[str]) -> bytes:
    """A scene and the strings that it has anew; times and numbers of events as steps, which pack better."""
    lines = shown.lines
    steps = msgspec.structs.replace(lines, number=_steps(lines.number), at_ns=_steps(lines.at_ns))
    return _encode({"strings": strings, "scene": msgspec.structs.replace(shown, lines=steps)})


def _steps(numbers: Sequence[int]) -> list[int]:
    return [number - before for before, number in zip([0, *numbers], numbers, strict=False)]
