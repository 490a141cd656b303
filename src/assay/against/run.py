"""The suites in two environments: the current one, unless a run of it is given, and one with other versions."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from assay.against.environment import environ, made, parsed
from assay.compare import Comparison, compare, sources
from assay.compare.fit import only
from assay.errors import HarnessError, UsageError
from assay.report import Report
from assay.reports import json
from assay.selection import Selection

HERE, THERE = "here", "there"  # of the run's folder
JUDGED = (0, 1, 3)  # exit codes of a run that has a report


def against(
    requirements: Sequence[str],
    options: Sequence[str],
    selection: Selection,
    out: Path,
    base: Path | None,
    say: Callable[[str], None],
) -> Comparison:
    """What differs in behaviour. `options` are those of `assay run`; `base` is a run of the current environment.

    `selection` is what they choose, along with the configuration file: other rows of the base are of no account.

    Raises UsageError: no such requirement, it cannot be installed, nothing would be of another version, the app cannot
    be run with it.
    """
    wanted = parsed(requirements)
    bases = [only(report, selection.given) for report in sources.base(base).reports] if base else []
    if base and not any(report.results for report in bases):
        raise UsageError(f"{base} cannot be compared with: it has none of the rows that are chosen")
    environment = made(wanted, say)
    names = ", ".join(requirements)
    if not environment.changed:
        why = f"; {'; '.join(environment.notes)}" if environment.notes else ""
        raise UsageError(f"with {names} nothing is of another version than here, so nothing would be tested{why}")
    for each in (*environment.notes, *(f"does not fit: {each}" for each in environment.conflicts)):
        say(each)
    moved = [f"{name} {here} -> {there}" for name, (here, there) in environment.changed.items()]
    say(f"with {names}: {', '.join(moved)}")
    if not bases:
        say("running as it is")
        bases = [_run(Path(sys.executable), options, out / HERE, "as it is")]
    say(f"running with {names}")
    found = compare(bases, _run(environment.python, options, out / THERE, f"with {names}"))
    found.notes = [*environment.notes, f"current: with {names}", *found.notes]
    return doubted(found, environment.conflicts)


def doubted(found: Comparison, conflicts: list[str]) -> Comparison:
    """Where packages do not fit together, nothing that held is proved: nobody supports such an environment."""
    code = found.exit_code or (3 if conflicts else 0)
    return msgspec.structs.replace(found, exit_code=code, conflicts=conflicts)


def _run(python: Path, options: Sequence[str], folder: Path, which: str) -> Report:
    own = python == Path(sys.executable)
    # -P as `assay` itself is started: else the project's folder is first on the path, and its rich.py is Assay's
    command = [str(python), "-P", "-m", "assay", "run", *options, "--out", str(folder)]
    done = subprocess.run(command, env=None if own else environ(python), stdout=subprocess.DEVNULL)
    told = (folder / json.NAME).exists()  # 1 is also how a Python ends that cannot import
    if done.returncode in JUDGED and told:
        return sources.current(folder)
    error = UsageError if done.returncode == 2 else HarnessError
    no_report = "" if told else " and left no report"
    raise error(f"the run {which} ended with exit code {done.returncode}{no_report}; what it said is above")
