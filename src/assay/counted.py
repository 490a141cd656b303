"""A number and what it counts, in words."""


def counted(number: int, what: str) -> str:
    """ "1 fault", "2 faults"."""
    return f"{number} {what}{'s' * (number != 1)}"
