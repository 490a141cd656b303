"""What the user names as a base or a current run: a run folder, its report, a baseline, or a folder of runs."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from assay.compare import baseline
from assay.compare.fit import why_not
from assay.errors import UsageError
from assay.report import Report
from assay.reports import json
from assay.verdict import Verdict

GATE = "gate.json"


class _Gate(msgspec.Struct):
    """Of a gate's verdict, what says whether its run is one to go by."""

    verdict: Verdict


class Source(msgspec.Struct, frozen=True):
    """Reports, and a sentence for each thing that the user should know of where they are from."""

    reports: list[Report]
    notes: list[str] = []


def current(path: Path) -> Report:
    """Of a run folder, its report, or the newest of a folder of runs. Raises UsageError."""
    if path.is_file():
        return _file(path)[-1]
    return _run(json.locate(path))


def base(path: Path, beside: Report | None = None, *, held: bool = False) -> Source:
    """All that it holds. Of a folder of runs: those that can be compared with `beside`, and not that run itself.

    A run that a gate has refused is no base in such a folder, or the next gate would take what it refused for what is
    to be; `held`: nor is one with another verdict than that. Raises UsageError where there is none.
    """
    if path.is_file():
        return Source(_file(path))
    if not path.is_dir():
        raise UsageError(f"{path} cannot be compared with: there is no such file or folder")
    if any((path / mark).is_file() for mark in json.MARKS):
        return Source([_run(path)])
    if (path / baseline.NAME).is_file():
        return Source(baseline.read(path / baseline.NAME), [f"the base is {path / baseline.NAME}"])
    return _runs(path, beside, held=held)


def runs(folder: Path) -> Source:
    """Every run in a folder, the oldest first. Raises UsageError where there is none."""
    found, notes = _found(folder)
    return Source([report for _, report in found], notes)


def _found(folder: Path) -> tuple[list[tuple[Path, Report]], list[str]]:
    found, notes = [], []
    for path in sorted(folder.glob(f"*/{json.NAME}")):
        try:
            found.append((path.parent, json.read(path.parent)))
        except UsageError as error:
            notes.append(f"not used: {error}")
    for path in sorted(folder.glob("*/facts.json")):
        if not (path.parent / json.NAME).exists():
            notes.append(f"not used: {path.parent} was cut short and has no {json.NAME}")
    if not found:
        why = f"; {'; '.join(notes)}" if notes else ""
        raise UsageError(f"{folder} holds no run and no {baseline.NAME}: there is no {json.NAME} in it{why}")
    found.sort(key=lambda each: each[1].started_at)
    return found, [*notes, f"runs in {folder}: {_named([p for p, _ in found])}"]


def _runs(folder: Path, beside: Report | None, *, held: bool) -> Source:
    found, notes = _found(folder)
    left: dict[str, list[str]] = {}
    kept = []
    for path, report in found:
        why = _not_to_go_by(path, report, held=held)
        if beside is not None:
            why = "it is the current one" if _same_run(report, beside) else why or why_not(report, beside)
        if why:
            left.setdefault(why, []).append(report.started_at or path.name)
        else:
            kept.append(report)
    unused = [f"not used, {', '.join(times)}: {why}" for why, times in left.items()]
    if not kept:
        what = "is a base" if beside is None else "can be compared with the current one"
        raise UsageError(f"no run in {folder} {what}: {'; '.join(unused)}")
    return Source(kept, [*notes, *unused])


def _not_to_go_by(folder: Path, report: Report, *, held: bool) -> str:
    """Why it is no base by itself; "" where it may be one."""
    try:
        verdict = msgspec.json.decode((folder / GATE).read_bytes(), type=_Gate).verdict
    except FileNotFoundError:
        verdict = Verdict.HELD
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return f"its {GATE} cannot be read"
    if verdict is not Verdict.HELD:
        return f"its gate was not green: {verdict}"
    return f"it is {report.verdict}" if held and report.verdict is not Verdict.HELD else ""


def _run(folder: Path) -> Report:
    """Raises UsageError for one that was cut short."""
    if not (folder / json.NAME).exists():
        remedy = f"assay check {folder} --json FILE judges what it has, and FILE can be compared"
        raise UsageError(f"{folder} was cut short and has no {json.NAME}: {remedy}")
    return json.read(folder)


def _same_run(one: Report, other: Report) -> bool:
    return (one.started_at, one.duration_s, one.command) == (other.started_at, other.duration_s, other.command)


def _file(path: Path) -> list[Report]:
    """A report or a baseline, by what it says of itself. Raises UsageError."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    try:
        data = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is damaged: {error}") from None
    if isinstance(data, dict) and baseline.MARK in data:
        return baseline.parse(text, str(path))
    if not isinstance(data, dict) or "results" not in data:
        remedy = "give a run folder, its report.json, or what assay baseline RUN has written"
        raise UsageError(f"{path} is neither a report nor a baseline of Assay: {remedy}")
    return [json.parse(text, str(path))]


def _named(paths: Sequence[Path]) -> str:
    return ", ".join(path.name for path in paths)
