"""Lines of sources that may hold a secret: they are shown to nobody, in no file that a run writes."""

import re

SECRET = re.compile(
    r"""://[^\s'"/@]*:[^\s'"/@]+@|(?<![a-z])(?:secret|passw(?:or)?d|pwd|token|credential|(?:api|access|account|private)_?key)""",
    re.IGNORECASE,
)
STRING = re.compile(r"""(['"])(?:\\.|(?!\1).)*\1""")


def suspicious(text: str) -> bool:
    """Whether it may hold one: an address with a password, or a name that speaks of one."""
    return bool(SECRET.search(text))


def hidden(source: str) -> str:
    """The same with each string blanked in the lines that may hold one."""
    return "".join(
        STRING.sub(r"\1***\1", line) if suspicious(line) else line for line in source.splitlines(keepends=True)
    )
