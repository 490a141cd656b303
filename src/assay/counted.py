"""Numbers, and what they count, in words."""

from collections.abc import Sequence


def counted(number: int, what: str) -> str:
    """ "1 fault", "2 faults"."""
    return f"{number} {what}{'s' * (number != 1)}"


def listed(names: Sequence[str], most: int) -> str:
    """ "a, b and 3 more": the first `most` of them, and how many are left."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
