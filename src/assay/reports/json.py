"""`report.json`: written, and read back with its schema checked. docs/report.md describes each field."""

import os
from pathlib import Path

import msgspec

from assay.errors import UsageError
from assay.report import SCHEMA, Report

NAME = "report.json"
MARKS = (NAME, "facts.json")  # the latter is there from a run's first moment


def render(report: Report) -> str:
    """The report as indented JSON with a last line break."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def write(report: Report, path: Path) -> None:
    """Whole or not at all: a reader never sees half a report."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(render(report), encoding="utf-8")
    draft.replace(path)


def parse(text: bytes | str, source: str = NAME) -> Report:
    """The report in `text`. Raises UsageError: not JSON, somebody else's JSON, a newer schema, a field of a wrong type.

    Fields that this version does not know are passed over: within one schema number only new ones are added.
    """
    try:
        data = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{source} is damaged: {error}") from None
    if not isinstance(data, dict) or "results" not in data or not isinstance(data.get("schema"), int):
        raise UsageError(f"{source} is not a report of Assay: it has no schema number and results")
    if data["schema"] < 1:
        raise UsageError(f"{source} is damaged: there is no schema {data['schema']}, the first one is 1")
    if data["schema"] > SCHEMA:
        newer = f"{source} has schema {data['schema']}, this version of Assay reads up to {SCHEMA}"
        raise UsageError(f"{newer}: use the version that wrote it, or a later one")
    try:
        return msgspec.convert(data, Report)
    except msgspec.ValidationError as error:
        raise UsageError(f"{source} is damaged: {error}") from None


def read(folder: Path) -> Report:
    """The report of a run folder. Raises UsageError."""
    path = folder / NAME
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    return parse(text, str(path))


def locate(path: Path) -> Path:
    """The run folder that the user means: the folder itself, its report.json, or the newest run in a folder of runs.

    A run that was cut short has no report.json, and is a run folder too. Raises UsageError.
    """
    if path.name == NAME and path.is_file():
        return path.parent
    if not path.is_dir():
        why = "it is a file" if path.exists() else "there is no such folder"
        raise UsageError(f"{path} is not a run folder: {why}")
    if any((path / mark).is_file() for mark in MARKS):
        return path
    found = sorted((each for mark in MARKS for each in path.glob(f"*/{mark}")), key=lambda each: each.stat().st_mtime)
    for newest in reversed(found):
        if (newest.parent / NAME).is_file() or next(newest.parent.rglob("events/*.jsonl"), None):
            return newest.parent  # other than what `shrink` has found, which was not run there
    if next(path.rglob("events/*.jsonl"), None):
        return path
    raise UsageError(f"{path} is not a run folder: it holds no {NAME}, no events and no run")
