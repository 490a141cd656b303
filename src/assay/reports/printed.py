"""Parts of a report as one text, for a terminal or a pipe."""

import io
from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.text import Text


def printed(parts: Iterable[RenderableType], *, width: int, color: bool, ascii_only: bool = False) -> str:
    """As text of `width` columns, with ANSI codes only where `color` is asked for.

    What is to be copied whole, a Text with `no_wrap`, may be longer: a terminal wraps it so that it can be.
    """
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, Text) and bool(part.no_wrap))
    text = "\n".join(line.rstrip() for line in out.getvalue().split("\n"))
    return text.encode("ascii", "replace").decode() if ascii_only else text
