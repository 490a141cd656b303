"""Text that Markdown takes for nothing else."""

import re

from assay.reports.words import plain


def text(given: str) -> str:
    """One line that no table, tag or emphasis can be made of."""
    escaped = plain(given).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_|\[\]~@#])", r"\\\1", escaped)


def code(given: str) -> str:
    """The same as code; nothing where there is nothing."""
    shown = plain(given).replace("`", "'").replace("|", "\\|")
    return f"`{shown}`" if shown else ""
