"""A canvas as data. The harness gives each part its id, so that scripts lie ready for what Celery publishes by itself.

Celery keeps an id that a signature has when it freezes it (celery/canvas.py, Signature.freeze): the next link of a
chain, a chord's body and a callback are published under the ids that are given here.
"""

from collections.abc import Iterator
from typing import Any, Union

import msgspec


class Part(msgspec.Struct, frozen=True, tag="part", omit_defaults=True):
    """One invocation, with an immutable signature. `id` is empty where Celery is to choose it, as for a replacement."""

    task: str
    id: str = ""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    link: tuple["Part", ...] = ()
    link_error: tuple["Part", ...] = ()


class Chain(msgspec.Struct, frozen=True, tag="chain"):
    steps: tuple["Canvas", ...]


class Group(msgspec.Struct, frozen=True, tag="group"):
    members: tuple["Canvas", ...]


class Chord(msgspec.Struct, frozen=True, tag="chord"):
    header: tuple["Canvas", ...]
    body: "Canvas"


Canvas = Union[Part, Chain, Group, Chord]  # noqa: UP007 - the forward references above are resolved by its name


def within(canvas: Canvas) -> tuple[Canvas, ...]:
    """The canvases that it is made of, in their order; none of a part."""
    match canvas:
        case Chain(steps):
            return steps
        case Group(members):
            return members
        case Chord(header, body):
            return (*header, body)
    return ()


def parts(canvas: Canvas) -> Iterator[Part]:
    """Those that are to run where nothing fails, callbacks not among them."""
    if isinstance(canvas, Part):
        yield canvas
    for each in within(canvas):
        yield from parts(each)


def bodies(canvas: Canvas) -> list[Part]:
    """The parts that are a chord's body, or in one."""
    own = list(parts(canvas.body)) if isinstance(canvas, Chord) else []
    return own + [each for inner in within(canvas) for each in bodies(inner)]


def ends(canvas: Canvas) -> list[str]:
    """The ids of the parts with whose ends the whole has ended: whoever waits for the whole waits for these."""
    match canvas:
        case Part():
            return [canvas.id]
        case Group(members):
            return [end for each in members for end in ends(each)]
    return ends(within(canvas)[-1])


def after(canvas: Canvas, part: Part) -> list[Part]:
    """The parts that are published only when this one has succeeded."""
    inner = within(canvas)
    place = next((number for number, each in enumerate(inner) if part in parts(each)), None)
    if place is None:
        return []
    later: tuple[Canvas, ...] = ()
    match canvas:
        case Chain():
            later = inner[place + 1 :]
        case Chord() if place < len(canvas.header):
            later = (canvas.body,)
    return [*after(inner[place], part), *(each for one in later for each in parts(one))]
