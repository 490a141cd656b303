"""An environment that has all that the current one has, but for some distributions of other versions.

It lies over the current one: what is not installed in it is imported from there, local and editable projects too, so
only what is replaced is fetched. It is kept in the user's cache, by what it replaces and what it lies over.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from importlib.metadata import distributions
from pathlib import Path

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from assay.against import installer
from assay.against.inside import Known, closure, conflicts, installed, needs
from assay.errors import HarnessError, UsageError

FORMAT = 2  # of such an environment; one of another is not used
STAMP = "assay-environment.json"
OWN = "celery-assay"
LAYER = "assay_layer.pth"


class Made(msgspec.Struct, frozen=True):
    """`changed` are the distributions that it has in another version than the current one: {name: (here, there)}.

    `conflicts`: what does not fit together there, and does here.
    """

    python: Path
    changed: dict[str, tuple[str, str]]
    conflicts: list[str] = []
    notes: list[str] = []


class Stamp(msgspec.Struct, frozen=True):
    """Of an environment that is whole: when it was made, and which versions its requirements were then."""

    format: int
    made_on: str  # YYYY-MM-DD
    resolved: dict[str, str]


def cache() -> Path:
    """Where they are kept."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "assay" / "against"


def remove() -> int:
    """All of them; how many there were."""
    folders = [each for each in cache().glob("*") if each.is_dir()]
    for each in folders:
        shutil.rmtree(each)
    shutil.rmtree(cache(), ignore_errors=True)
    return len(folders)


def parsed(requirements: Sequence[str]) -> list[Requirement]:
    """As pip takes them. Raises UsageError."""
    found = []
    for text in requirements:
        try:
            found.append(Requirement(text))
        except InvalidRequirement as error:
            why = str(error).splitlines()[0]
            raise UsageError(f'{text} is no requirement such as "celery==5.5.*": {why}') from None
        if canonicalize_name(found[-1].name) == OWN:
            raise UsageError(f"{text}: both runs are by the Assay that is installed here, or nothing could be compared")
    return found


def made(requirements: Sequence[Requirement], say: Callable[[str], None]) -> Made:
    """The environment of these, from the cache where it is there. Raises UsageError where it cannot be installed."""
    here = {name: each.version for name, each in installed().items()}
    wanted = sorted(str(each) for each in requirements)
    lock = json.dumps([FORMAT, sys.version, sys.prefix, _layers(), wanted, sorted(here.items())])
    slug = re.sub(r"[^\w.]+", "-", "-".join(wanted)).strip("-")[:40]
    folder = cache() / f"{slug}-{hashlib.sha256(lock.encode()).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    with _alone(folder):
        if (stamp := _stamp(folder)) is None:
            say(f"making an environment with {', '.join(wanted)}, once, in {folder}")
            _make(folder, python, requirements)
        there, broken = _inside(python)
        names = {str(canonicalize_name(each.name)) for each in requirements}
        if stamp is None:
            stamp = Stamp(FORMAT, date.today().isoformat(), {name: there[name] for name in names if name in there})
            (folder / STAMP).write_bytes(msgspec.json.encode(stamp))
    new = [each for each in broken if each not in conflicts(installed())]
    if own := [each for each in new if each.startswith(f"{OWN} ")]:
        raise UsageError(f"this version of Assay cannot run there: {'; '.join(own)}")
    changed = {
        name: (here.get(name, "not there"), there.get(name, "not there"))
        for name in sorted(here.keys() | there.keys())
        if here.get(name) != there.get(name)
    }
    return Made(python, changed, new, aged(requirements, stamp, date.today()))


def aged(requirements: Sequence[Requirement], stamp: Stamp, today: date) -> list[str]:
    """A sentence for each requirement that may be of another version by now than in an environment of another day."""
    if stamp.made_on == today.isoformat():
        return []
    return [
        f"{each} is {stamp.resolved.get(str(canonicalize_name(each.name)), 'not there')}, as it was on {stamp.made_on} "
        "when its environment was made; `assay against --remove` lets it be made anew"
        for each in requirements
        if not _exact(each)
    ]


def _exact(requirement: Requirement) -> bool:
    return any(each.operator in ("==", "===") and "*" not in each.version for each in requirement.specifier)


def _stamp(folder: Path) -> Stamp | None:
    """None: there is no environment, or a part of one."""
    try:
        stamp = msgspec.json.decode((folder / STAMP).read_bytes(), type=Stamp)
    except (OSError, msgspec.DecodeError):
        return None
    return stamp if stamp.format == FORMAT else None


def environ(python: Path) -> dict[str, str]:
    """For a process in it: without what would put the current environment before it."""
    given = {key: value for key, value in os.environ.items() if key not in ("PYTHONHOME", "VIRTUAL_ENV")}
    paths = [each for each in given.pop("PYTHONPATH", "").split(os.pathsep) if each and not _is_layer(each)]
    given |= {"VIRTUAL_ENV": str(python.parent.parent), "PATH": f"{python.parent}{os.pathsep}{given.get('PATH', '')}"}
    return given | ({"PYTHONPATH": os.pathsep.join(paths)} if paths else {})


def _make(folder: Path, python: Path, requirements: Sequence[Requirement]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    try:
        venv.create(folder, symlinks=True, with_pip=installer.needs_pip())
    except subprocess.CalledProcessError:
        raise UsageError("there is neither uv nor pip here, and this Python has no ensurepip: install one") from None
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}") from None
    site = next(folder.glob("lib/python*/site-packages"))
    lines = [f"import site; site.addsitedir({each!r})\n" for each in _layers()]  # which a .pth may run
    (site / LAYER).write_text("".join(lines), encoding="utf-8")
    wanted = [str(each) for each in requirements]
    known = installed()
    replaced = {str(canonicalize_name(each.name)) for each in requirements}
    if why := _install(python, wanted, known, closure(replaced, known) | replaced):
        shutil.rmtree(folder, ignore_errors=True)
        raise UsageError(f"{', '.join(wanted)} cannot be installed: {why}")
    there = {**known, **installed(distributions(path=[str(site)]))}
    if moved := may_stay(known, there, closure(replaced, there) - replaced):
        pins = {name: there[name] for name in replaced} | {name: known[name] for name in moved}
        _install(python, wanted, {**known, **pins}, closure(replaced, there) - {*pins})  # where not, it is as it was


def may_stay(here: Known, there: Known, names: Iterable[str]) -> set[str]:
    """Those that were moved to another version, though all that require them there would take the one from here."""
    moved = {name for name in names if name in here and here[name].version != there[name].version}
    for distribution in there.values():
        for each in needs(distribution):
            name = str(canonicalize_name(each.name))
            if name in moved and not each.specifier.contains(here[name].version, prereleases=True):
                moved.remove(name)
    return moved


def _install(python: Path, requirements: Sequence[str], known: Known, free: set[str]) -> str:
    """With all that is known in its version, apart from `free`. Why it failed; "" where it did not."""
    constraints = python.parent.parent / "constraints.txt"
    pins = [f"{name}=={each.version}" for name, each in sorted(known.items()) if name not in {*free, OWN}]
    constraints.write_text("\n".join(pins) + "\n", encoding="utf-8")
    return installer.install(python, requirements, constraints)


def _inside(python: Path) -> tuple[dict[str, str], list[str]]:
    command = [str(python), "-P", "-m", "assay.against.inside"]  # a project may have a packaging.py
    done = subprocess.run(command, env=environ(python), capture_output=True, text=True)
    if done.returncode:
        raise HarnessError(f"{python} cannot be used: {installer.reason(done.stderr)}; remove it by --remove")
    found = json.loads(done.stdout)
    return found["versions"], found["conflicts"]


def _layers() -> list[str]:
    """The folders of distributions that the current environment imports from, in order."""
    return [each for each in sys.path if _is_layer(each)]


def _is_layer(path: str) -> bool:
    return Path(path).name in ("site-packages", "dist-packages")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other call makes the same meanwhile."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = folder.with_suffix(f"{folder.suffix}.lock").open("w")
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}; XDG_CACHE_HOME names another place") from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
