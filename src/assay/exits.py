"""How the command leaves: every error becomes one message on stderr and an exit code. docs/exit-codes.md tells them."""

import contextlib
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import click

from assay.errors import AssayError, HarnessError, UsageError
from assay.hints import refusal
from assay.on_signal import on_signal
from assay.room import no_room

NO_COMMAND: Any = getattr(
    click.exceptions, "NoArgsIsHelpError", ()
)  # click 8.2; 8.1 shows the help and exits by itself
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM


class Stopped(Exception):
    """Somebody told the run to stop. `code` as a shell has it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Terminated(KeyboardInterrupt):
    """SIGTERM came: cleaned up after like Ctrl-C."""


class Commands(click.Group):
    """A group whose commands return their exit code, and whose errors are one message each."""

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run the command and exit, whatever happens."""
        kwargs["standalone_mode"] = False
        try:
            code = super().main(*args, **kwargs)
        except NO_COMMAND as error:
            say(error.format_message() + "\n", error=True)
            code = 2
        except click.ClickException as error:
            code = _fail(2, refusal(error))
        except AssayError as error:
            code = _fail(error.exit_code, str(error))
        except Stopped as stop:
            code = _fail(stop.code, str(stop))
        except (click.Abort, KeyboardInterrupt):
            code = _fail(INTERRUPTED, "interrupted")
        except Exception as error:
            code = _fail(4, no_room(error) or unexpected(error, None))
        sys.exit(code if isinstance(code, int) else 0)


def say(text: str, *, error: bool = False) -> None:
    """Write to stdout (or stderr), where a reader that has gone away is no failure and no character is one.

    Raises UsageError where it leads to a full disk.
    """
    stream = sys.stderr if error else sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except OSError as failed:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # or the interpreter complains while it ends
        if not isinstance(failed, BrokenPipeError):
            raise UsageError(f"{stream.name.strip('<>')} cannot be written: {failed.strerror}") from None


@contextlib.contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Around a run: whatever ends it, the user is told where its records are."""
    try:
        with _terminable():
            yield
    except UsageError:
        raise
    except HarnessError as error:
        raise HarnessError(f"{error}{_recorded(folder)}") from error
    except KeyboardInterrupt as stop:
        code, what = (TERMINATED, "terminated") if isinstance(stop, Terminated) else (INTERRUPTED, "interrupted")
        raise Stopped(code, f"{what} before the end, so there is no verdict{_recorded(folder)}") from None
    except AssayError:
        raise
    except Exception as error:
        if why := no_room(error):
            raise HarnessError(f"{why}{_recorded(folder)}") from error
        raise HarnessError(unexpected(error, folder)) from error


def unexpected(error: Exception, folder: Path | None) -> str:
    """One line about an error that nobody foresaw; its traceback goes to crash.txt in the run folder or a new one."""
    text = "".join(traceback.format_exception(error))
    path = (folder or Path(tempfile.mkdtemp(prefix="assay-"))) / "crash.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError:
        path = Path(tempfile.mkdtemp(prefix="assay-")) / "crash.txt"
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    first = next(iter(str(error).splitlines()), "")
    return f"the harness broke, which is a defect of Assay: {type(error).__name__}: {first}\n  traceback: {path}"


def _recorded(folder: Path) -> str:
    kept = folder.is_dir() and any(folder.iterdir())
    return f"\n  recorded so far: {folder}" if kept else "\n  nothing was recorded"


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    def stop(number: int, frame: object) -> None:
        raise Terminated

    with on_signal(signal.SIGTERM, stop):
        yield


def _fail(code: int, message: str) -> int:
    with contextlib.suppress(UsageError, OSError, ValueError):
        say(f"assay: {message}\n", error=True)
    return code
