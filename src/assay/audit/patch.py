"""Changes of settings as a diff of the sources that give them: what `patch -p1` and `git apply` take."""

import ast
import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from assay.audit.finding import Change
from assay.subject import Setting, Subject


class Patch(NamedTuple):
    """`left` are the changes for which no place was found: they are to be made by hand."""

    diff: str
    left: list[Change]


class Given(NamedTuple):
    """Where a setting is given: from the beginning of its name to the end of its value. Lines count from 0."""

    first: tuple[int, int]
    value: tuple[int, int]
    last: tuple[int, int]
    form: str  # of a new one beside it, with {name} and {value}


def patch(changes: Sequence[Change], subject: Subject, root: Path) -> Patch:
    """One diff of all of them; the later of two changes of one setting counts. Pure but for reading sources."""
    wanted = {each.setting: each for each in changes}
    beside = _neighbour(subject, {each.setting for each in wanted.values() if not each.value})
    edits: dict[str, list[str]] = {}
    left = []
    anchored = [(each, found if (found := _placed(subject, each.setting)) else beside) for each in wanted.values()]
    for change, anchor in sorted(anchored, key=lambda pair: -_line(pair[1])):  # what is above stays in its line
        setting = subject.setting(change.setting)
        path = anchor.place.rpartition(":")[0] if anchor else ""
        lines = edits.get(path) or (_lines(root / path) if path else [])
        changed = _changed(lines, change, setting, anchor) if anchor and lines else None
        if changed is None:
            left.append(change)
        else:
            edits[path] = changed
    return Patch("".join(_diff(path, _lines(root / path), lines) for path, lines in edits.items()), left)


def _line(setting: Setting | None) -> int:
    return int(setting.place.rpartition(":")[2]) if setting else 0


def _placed(subject: Subject, key: str) -> Setting | None:
    found = subject.setting(key)
    return found if found and found.place else None


def _neighbour(subject: Subject, going: set[str]) -> Setting | None:
    """What a setting that is not given yet goes behind: the last that makes a claim on tasks, or the last of all."""
    placed = [each for each in subject.settings if each.place and each.known and each.key not in going]
    return next((each for each in reversed(placed) if each.key.startswith("task_")), placed[-1] if placed else None)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError):
        return []


def _changed(lines: list[str], change: Change, setting: Setting | None, anchor: Setting) -> list[str] | None:
    """The lines with the change in them. None where the place is not one that can be edited safely."""
    here = setting if setting and setting.place else None
    found = _given(lines, here or anchor)
    if found is None:
        return None
    if here is None:
        if not change.value:
            return lines
        text = found.form.format(name=_spelt(change.setting, anchor), value=change.value)
        return [*lines[: found.last[0] + 1], text, *lines[found.last[0] + 1 :]]
    return _replaced(lines, found, change.value) if change.value else _without(lines, found)


def _replaced(lines: list[str], found: Given, value: str) -> list[str]:
    (first, begin), (last, end) = found.value, found.last
    return [*lines[:first], lines[first][:begin] + value + lines[last][end:], *lines[last + 1 :]]


def _without(lines: list[str], found: Given) -> list[str] | None:
    """Whole lines go; None where there is something else on them."""
    (first, begin), (last, end) = found.first, found.last
    rest = lines[last][end:].strip()
    if lines[first][:begin].strip() or (rest.lstrip(",").strip() and not rest.lstrip(",").strip().startswith("#")):
        return None
    return [*lines[:first], *lines[last + 1 :]]


def _given(lines: list[str], setting: Setting) -> Given | None:
    """The one that ends last of those that begin in its line."""
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError, RecursionError):
        return None
    line = _line(setting)
    names = {setting.key, setting.given, setting.key.upper()} - {""}
    found = [each for node in ast.walk(tree) for each in _of(node, lines, names) if each.first[0] == line - 1]
    return found[-1] if found else None


def _of(node: ast.AST, lines: list[str], names: set[str]) -> Iterator[Given]:
    match node:
        case ast.Call(keywords=keywords):
            for keyword in keywords:
                if keyword.arg in names:
                    yield _span(keyword, keyword.value, lines, "{name}={value},")
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and key.value in names:
                    yield _span(key, value, lines, '"{name}": {value},')
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in names:
            yield _span(node, value, lines, "{name} = {value}")
        case ast.Assign(targets=[ast.Attribute(value=owner, attr=name)], value=value) if name in names:
            yield _span(node, value, lines, f"{ast.unparse(owner)}.{{name}} = {{value}}")


def _span(begins: ast.expr | ast.stmt | ast.keyword, value: ast.expr, lines: list[str], form: str) -> Given:
    first, last = begins.lineno - 1, (value.end_lineno or value.lineno) - 1
    indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
    return Given(
        (first, _column(lines[first], begins.col_offset)),
        (value.lineno - 1, _column(lines[value.lineno - 1], value.col_offset)),
        (last, _column(lines[last], value.end_col_offset or 0)),
        f"{indent}{form}\n",
    )


def _column(line: str, offset: int) -> int:
    """ast counts bytes of UTF-8."""
    return len(line.encode()[:offset].decode(errors="ignore"))


def _spelt(key: str, beside: Setting) -> str:
    """As its neighbour is: under a namespace, and in capitals, where that is."""
    if not beside.given.isupper():
        return key
    return f"{beside.given.removesuffix(beside.key.upper())}{key.upper()}"


def _diff(path: str, before: list[str], after: list[str]) -> str:
    return "".join(difflib.unified_diff(before, after, f"a/{path}", f"b/{path}"))
