"""What a command says, and the files that it writes."""

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from assay.cli.ci import show_on_ci
from assay.errors import UsageError
from assay.exits import say
from assay.reports.formats import FORMATS, Files, Told

if TYPE_CHECKING:
    from assay.report import Report


def short(folder: Path) -> Path:
    """As a person would type it from here."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def shown_progress() -> Any:
    if not colored(sys.stderr):
        from assay.progress import PlainLines

        return PlainLines(sys.stderr)
    from rich.console import Console

    from assay.reports.live import Live

    return Live(Console(stderr=True, highlight=False))


def colored(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width() -> int:
    return max(60, min(180, shutil.get_terminal_size((100, 24)).columns))


def is_utf(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().startswith("utf")


def keep(report: "Report", folder: Path) -> None:
    from assay.reports import json, markdown

    json.write(report, folder / json.NAME)
    (folder / "report.md").write_text(markdown.render(report, folder), encoding="utf-8")


def deliver(told: Told, files: Files) -> int:
    """What a CI server shows, the files that were asked for, then the report for people: last of all the verdict."""
    from assay.reports import terminal

    show_on_ci(told, summarised="summary" in files, error=Path("-") in files.values())
    tell(partial(terminal.render, told.report, told.folder, program=program()), texts(told, files))
    return int(told.report.exit_code)


def texts(told: Told, files: Files) -> dict[Path | None, str]:
    """What goes into each file."""
    return {path: FORMATS[name].render(told._replace(file=path)) for name, path in files.items()}


def tell(render: Callable[..., str], files: Mapping[Path | None, str]) -> None:
    """Write the files, those that have a path, then say what `render` makes: on stderr where stdout carries a file."""
    failed = [said for path, text in files.items() if path is not None and (said := write(path, text))]
    piped = Path("-") in files
    stream = sys.stderr if piped else sys.stdout
    say(render(width=width(), color=colored(stream), ascii_only=not is_utf(stream)), error=piped)
    if failed:  # told after the report, which a run of minutes was for
        raise UsageError("; ".join(failed))


def write(path: Path, text: str) -> str:
    """What went wrong, if anything did."""
    try:
        if str(path) == "-":
            say(text)
        else:
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        return f"{path} cannot be written: {error.strerror}"
    except UsageError as error:
        return str(error)
    return ""


def program() -> str:
    """`assay`, or the path of the one that runs, where it is not on PATH."""
    mine = Path(sys.argv[0])
    if shutil.which("assay") or mine.name != "assay":
        return "assay"
    return shlex.quote(min(os.path.relpath(mine), os.path.abspath(mine), key=len))


def command_line() -> str:
    """As it was typed, without a password in an address."""
    from assay.brokers.external import redact_url

    shown = [(word, redact_url(word) if "://" in word else word) for word in sys.argv[1:]]
    return " ".join(["assay", *(mine if shlex.quote(word) == word else shlex.quote(mine) for word, mine in shown)])
