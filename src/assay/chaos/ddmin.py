"""The smallest part of a list that still does what the whole does (Zeller and Hildebrandt, 2002)."""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def smallest(items: Sequence[T], does: Callable[[list[T]], bool]) -> list[T]:
    """A part of `items`, in their order, of which no single item can be left out. `does(items)` is taken for granted.

    Nothing is asked twice. Where `does` is a matter of chance the answer is too.
    """
    asked: dict[tuple[int, ...], bool] = {}

    def still(numbers: list[int]) -> bool:
        key = tuple(numbers)
        if key not in asked:
            asked[key] = does([items[number] for number in numbers])
        return asked[key]

    left, parts = list(range(len(items))), 2
    while len(left) > 1:
        size = -(-len(left) // parts)
        chunks = [left[at : at + size] for at in range(0, len(left), size)]
        others = [[number for number in left if number not in chunk] for chunk in chunks] if len(chunks) > 2 else []
        found = next((part for part in [*chunks, *others] if len(part) < len(left) and still(part)), None)
        if found is not None:
            parts = 2 if found in chunks else max(len(chunks) - 1, 2)
            left = found
        elif size == 1:
            break
        else:
            parts = min(2 * len(chunks), len(left))
    return [items[number] for number in left]
