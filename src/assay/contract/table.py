"""`[[contract]]` of the configuration: the terms of all tasks that fit its patterns."""

import re
from pathlib import Path
from typing import Any

import msgspec

from assay.contract.terms import Entry, read
from assay.errors import UsageError

HEAD = re.compile(r"\s*\[\[\s*(tool\.assay\.)?contract\s*\]\]")


def entries(value: Any, source: str) -> tuple[Entry, ...]:
    """Raises UsageError for what is no list of tables, or one of them that cannot be meant."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise UsageError(f"{source}: contract must be a list of tables: [[contract]], or [[tool.assay.contract]]")
    return tuple(_entry(dict(table), f"{source}: contract[{number}]", source) for number, table in enumerate(value))


def _entry(table: dict[str, Any], where: str, source: str) -> Entry:
    given = table.pop("tasks", None)
    patterns = [given] if isinstance(given, str) else given
    if not isinstance(patterns, list) or not patterns or not all(isinstance(each, str) and each for each in patterns):
        raise UsageError(f'{where}: tasks must be a pattern over task names, or a list of them, such as "shop.*"')
    return Entry(tuple(patterns), read(table, where), source)


def placed(found: tuple[Entry, ...], file: Path, shown: str) -> tuple[Entry, ...]:
    """With `file:line` of each table, where each has a head of its own; else with the file alone."""
    lines = file.read_text(encoding="utf-8").splitlines()
    numbers = [number for number, line in enumerate(lines, 1) if HEAD.match(line)]
    places = [f"{shown}:{number}" for number in numbers] if len(numbers) == len(found) else [shown] * len(found)
    return tuple(msgspec.structs.replace(each, place=place) for each, place in zip(found, places, strict=True))
