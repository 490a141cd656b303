"""Import the app under test, as Celery's own -A does (celery/app/utils.py, find_app), or by its factory.

Runs in the zygote, never in the harness.
"""

import re
import sys
import sysconfig
import traceback
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any

from celery import Celery
from celery.app.utils import find_app

from assay.errors import UsageError
from assay.places import Places

AS_CELERY = "give -A as you give it to celery, for example proj.celery:app"


def load(name: str, workdir: str) -> Celery:
    """Import the app. Raises UsageError in the words of what went wrong: not found, failed at import, not an app."""
    sys.path.insert(0, workdir)
    if not name.partition(":")[0]:
        raise UsageError(f"-A {name} names no module; {AS_CELERY}")
    try:
        found: Any = find_app(name.removesuffix("()"))
    except BaseException as error:
        raise UsageError(_of_a_file(name) or _import_failure(name, workdir, error)) from None
    found = _unwrap(found, name, workdir)
    try:
        found.loader.import_default_modules()
        found.finalize(auto=True)
    except BaseException as error:
        raise UsageError(_import_failure(name, workdir, error)) from None
    return found


def _of_a_file(name: str) -> str:
    """Celery's -A names a module; "" where this is not a file's name."""
    file, _, attribute = name.partition(":")
    path = Path(file)
    if path.suffix != ".py" and "/" not in file:
        return ""
    module = f"{path.stem}:{attribute}" if attribute else path.stem
    where = f" --workdir {path.parent}" if str(path.parent) != "." else ""
    return f"-A {name} names a file, and a module is wanted, as Python imports it: say -A {module}{where}"


def _unwrap(found: Any, name: str, workdir: str) -> Celery:
    """A Celery app as it is, what a factory returns, or what a web framework's app carries: that is callable too."""
    found = _carried(found)
    if callable(found) and not hasattr(found, "tasks"):
        try:
            found = _carried(found())
        except BaseException as error:
            raise UsageError(f"the factory {name} failed: {_told(error, workdir)}") from None
    try:
        is_app = hasattr(found, "tasks") and hasattr(found, "conf")
        if is_app:
            found.conf.broker_url  # noqa: B018 - what is configured lazily is read here
    except BaseException as error:
        raise UsageError(f"-A {name}: its configuration cannot be read: {_told(error, workdir)}") from None
    if not is_app:
        raise UsageError(f"{name} is {type(found).__name__}, not a Celery app; {AS_CELERY}")
    app: Celery = found._get_current_object() if hasattr(found, "_get_current_object") else found
    return app


def _carried(found: Any) -> Any:
    """Where Flask's documentation says to keep the Celery app; else `found` itself."""
    extensions = getattr(found, "extensions", None)
    return extensions["celery"] if isinstance(extensions, dict) and "celery" in extensions else found


def _import_failure(name: str, workdir: str, error: BaseException) -> str:
    module = name.partition(":")[0]
    if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
        return (
            f"there is no module {error.name!r}: looked in {workdir} and on sys.path; "
            "run from the project's folder or give --workdir"
        )
    if isinstance(error, ModuleNotFoundError) and error.name == name and error.__context__ is not None:
        error = error.__context__  # find_app takes "module:attribute" for a module after any AttributeError
    if isinstance(error, AttributeError) and not _own_frames(error):
        return f"-A {name}: {error}"
    return f"-A {name} failed while it was imported: {_told(error, workdir)}"


def _told(error: BaseException, workdir: str) -> str:
    """`Type: message (file:line)`, the place in the user's code rather than in a library where there is one."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{type(error).__name__}: {error.msg} ({error.filename}:{error.lineno})"
    said = _one_paragraph(str(error))
    frames = _own_frames(error) or traceback.extract_tb(error.__traceback__)
    frame = "".join(f"{frame.filename}:{frame.lineno}" for frame in frames[-1:] if frame.filename[:1] != "<")
    place = _of_renamed(said, workdir) or frame
    return f"{type(error).__name__}: {said}{f' ({place})' if place else ''}"


def _one_paragraph(text: str) -> str:
    """Celery tells settings that must be renamed in a table, with blank lines around it (celery/app/utils.py)."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    ends = [("," if " -> " in after else ";") if " -> " in line else "" for line, after in pairwise(lines)]
    return " ".join(line + end for line, end in zip_longest(lines, ends, fillvalue=""))


def _of_renamed(said: str, workdir: str) -> str:
    """Where the first of the settings is that Celery wants renamed; "" for all other errors, and where nobody knows.

    Settings are read long after they were written, by whoever asks first.
    """
    found = re.search(r"Cannot mix .*: (\w+) -> \w+", said)
    return Places(workdir).find(found[1]) if found else ""


def _own_frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Those in the user's code."""
    theirs = ("<", sysconfig.get_path("stdlib"), str(Path(__file__).parent))
    return [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "site-packages" not in frame.filename and not frame.filename.startswith(theirs)
    ]
