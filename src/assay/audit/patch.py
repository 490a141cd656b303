"""Changes of settings as a diff of the sources that give them: what `patch -p1` and `git apply` take.

An edit is made only where it is certain: the setting is given once in its file, at a place that is always run, on lines
of its own; what comes out is parsed and looked at. Everything else is left to a person.
"""

import ast
import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from assay.audit.finding import Change
from assay.audit.secrets import suspicious
from assay.subject import Setting, Subject

CONTEXT = (3, 1, 0)  # lines around a change: fewer where one of them may hold a secret
SOMETIMES = (ast.If, ast.Try, ast.For, ast.While, ast.Match, ast.IfExp, ast.With)


class Patch(NamedTuple):
    """`left` are the changes for which no place is certain: they are to be made by hand."""

    diff: str
    left: list[Change]


class Given(NamedTuple):
    """Where a setting is given: from the beginning of its name to the end of its value. Lines count from 0."""

    first: tuple[int, int]
    value: tuple[int, int]
    last: tuple[int, int]
    form: str  # of a new one beside it, with {name} and {value}
    listed: bool  # a comma follows each of its kind
    said: str  # its value, as ast tells it


def patch(changes: Sequence[Change], subject: Subject, root: Path) -> Patch:
    """One diff of all of them; the later of two changes of one setting counts. Pure but for reading sources."""
    wanted = {each.setting: each for each in changes}
    beside = _neighbour(subject, {each.setting for each in wanted.values() if not each.value})
    edits: dict[str, list[str]] = {}
    left, made = [], list[tuple[Change, str]]()
    anchored = [(each, found if (found := _placed(subject, each.setting)) else beside) for each in wanted.values()]
    for change, anchor in sorted(anchored, key=lambda pair: -_line(pair[1])):  # what is above stays in its line
        path = anchor.place.rpartition(":")[0] if anchor else ""
        lines = edits.get(path) or (_lines(root, path) if path else [])
        changed = _changed(lines, change, subject, anchor) if anchor and lines else None
        if changed is None:
            left.append(change)
        else:
            edits[path] = changed
            made.append((change, path))
    diffs = {path: _diff(path, _lines(root, path), lines) for path, lines in edits.items()}
    left += [change for change, path in made if diffs[path] is None]
    return Patch("".join(diff for diff in diffs.values() if diff), left)


def _line(setting: Setting | None) -> int:
    return int(setting.place.rpartition(":")[2]) if setting else 0


def _placed(subject: Subject, key: str) -> Setting | None:
    found = subject.setting(key)
    return found if found and found.place else None


def _neighbour(subject: Subject, going: set[str]) -> Setting | None:
    """What a setting that is not given yet goes behind: the last that makes a claim on tasks, or the last of all."""
    placed = [each for each in subject.settings if each.place and each.known and each.key not in going]
    return next((each for each in reversed(placed) if each.key.startswith("task_")), placed[-1] if placed else None)


def _lines(root: Path, path: str) -> list[str]:
    """None of a file that is not the project's, or whose lines end in a way that a diff cannot say."""
    try:
        file = (root / path).resolve()
        text = file.read_bytes().decode() if file.is_relative_to(root.resolve()) else ""
    except (OSError, UnicodeDecodeError):
        return []
    return text.splitlines(keepends=True) if text.endswith("\n") and "\r" not in text and "\f" not in text else []


def _changed(lines: list[str], change: Change, subject: Subject, anchor: Setting) -> list[str] | None:
    """The lines with the change in them. None where it is not certain what it would do."""
    here = _placed(subject, change.setting)
    found = _given(lines, here or anchor)
    if found is None:
        return None
    if here is not None:
        changed = _replaced(lines, found, change.value) if change.value else _without(lines, found)
        return changed if changed and _says(changed, here, change.value) else None
    if not change.value:
        return lines
    name = _spelt(change.setting, anchor, subject)
    if not name or not _alone(lines, found):
        return None
    text = found.form.format(name=name, value=change.value)
    changed = [*lines[: found.last[0] + 1], text, *lines[found.last[0] + 1 :]]
    added = Setting(change.setting, None, given=name)
    return changed if _says(changed, added, change.value) else None


def _says(lines: list[str], setting: Setting, value: str) -> bool:
    """Whether that is what the sources give now: this value, once, or nothing where it was taken out."""
    found = _all(lines, setting)
    if found is None or not value:
        return found == []
    return [each.said for each in found] == [ast.dump(ast.parse(value, mode="eval").body)]


def _alone(lines: list[str], found: Given) -> bool:
    """Whether it has its lines for itself, with a comma behind it where one is due."""
    (first, begin), (last, end) = found.first, found.last
    rest = lines[last][end:].strip()
    if found.listed and not rest.startswith(","):
        return False
    rest = rest.removeprefix(",").strip()
    return not lines[first][:begin].strip() and (not rest or rest.startswith("#"))


def _replaced(lines: list[str], found: Given, value: str) -> list[str]:
    (first, begin), (last, end) = found.value, found.last
    return [*lines[:first], lines[first][:begin] + value + lines[last][end:], *lines[last + 1 :]]


def _without(lines: list[str], found: Given) -> list[str] | None:
    """Whole lines go; None where there is something else on them."""
    return [*lines[: found.first[0]], *lines[found.last[0] + 1 :]] if _alone(lines, found) else None


def _given(lines: list[str], setting: Setting) -> Given | None:
    """Where it is given once, and there: what is given twice, or under a condition, is for a person to judge."""
    found = _all(lines, setting)
    if found is None or len(found) != 1 or found[0].first[0] != _line(setting) - 1:
        return None
    return found[0]


def _all(lines: list[str], setting: Setting) -> list[Given] | None:
    """None where the file cannot be read, or gives it under a condition."""
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError, RecursionError):
        return None
    names = {setting.key, setting.given, setting.key.upper()} - {""}
    inside = {id(each) for node in ast.walk(tree) if isinstance(node, SOMETIMES) for each in ast.walk(node)}
    found = [(node, each) for node in ast.walk(tree) for each in _of(node, lines, names)]
    return None if any(id(node) in inside for node, _ in found) else [each for _, each in found]


def _of(node: ast.AST, lines: list[str], names: set[str]) -> Iterator[Given]:
    match node:
        case ast.Call(keywords=keywords):
            for keyword in keywords:
                if keyword.arg in names:
                    yield _span(keyword, keyword.value, lines, "{name}={value},", listed=True)
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and key.value in names:
                    yield _span(key, value, lines, '"{name}": {value},', listed=True)
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in names:
            yield _span(node, value, lines, "{name} = {value}")
        case ast.Assign(targets=[ast.Attribute(value=owner, attr=name)], value=value) if name in names:
            yield _span(node, value, lines, f"{ast.unparse(owner)}.{{name}} = {{value}}")


def _span(
    begins: ast.expr | ast.stmt | ast.keyword, value: ast.expr, lines: list[str], form: str, *, listed: bool = False
) -> Given:
    first, last = begins.lineno - 1, (value.end_lineno or value.lineno) - 1
    indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
    return Given(
        (first, _column(lines[first], begins.col_offset)),
        (value.lineno - 1, _column(lines[value.lineno - 1], value.col_offset)),
        (last, _column(lines[last], value.end_col_offset or 0)),
        f"{indent}{form}\n",
        listed,
        ast.dump(value),
    )


def _column(line: str, offset: int) -> int:
    """ast counts bytes of UTF-8."""
    return len(line.encode()[:offset].decode(errors="ignore"))


def _spelt(key: str, beside: Setting, subject: Subject) -> str:
    """As the app spells it; by its name of today beside one that is given so. "" beside a name of a third kind."""
    if not beside.given:
        return key
    return subject.spelled(key) if beside.given == subject.spelling.get(beside.key) else ""


def _diff(path: str, before: list[str], after: list[str]) -> str | None:
    """None where no diff can be without a line that may hold a secret."""
    for context in CONTEXT:
        diff = "".join(difflib.unified_diff(before, after, f"a/{path}", f"b/{path}", n=context))
        if not suspicious(diff):
            return diff
    return None
