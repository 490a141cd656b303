"""A method of Celery's, kombu's or billiard's, replaced by one that looks on and calls it."""

import functools
from collections.abc import Callable
from typing import Any


def wrap(owner: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replace `owner.name` by `make(original)`, once."""
    original = getattr(owner, name)
    if not getattr(original, "__assay__", False):
        replacement = functools.wraps(original)(make(original))
        replacement.__assay__ = True  # type: ignore[attr-defined]
        setattr(owner, name, replacement)
