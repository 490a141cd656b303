"""Which names the project's own sources read: a setting that Celery does not know may be the app's own.

A name counts as read where a module's own is loaded (`NAME`), as an attribute of a configuration (`conf.NAME`), or by
its spelling (`conf["NAME"]`, `settings.get("NAME")`, `getattr(conf, "NAME")`). What holds a configuration is known by
its own name: an environment variable, or an attribute of a worker, may be called the same and is another thing.
"""

import ast
import os
import re
from collections.abc import Iterator, Set
from pathlib import Path

CONFIGURATION = re.compile("conf|cfg|setting", re.IGNORECASE)
ELSEWHERE = {"node_modules", "site-packages", "__pycache__"}


def read_in(root: Path, names: Set[str]) -> set[str]:
    """Those of the names that any source file below `root` reads; an environment of packages in it is no source."""
    found: set[str] = set()
    if not names:
        return found
    for path in _sources(root):
        text = path.read_text(errors="replace")
        if any(name in text for name in names - found):
            found |= _reads(text) & names
    return found


def _sources(root: Path) -> Iterator[Path]:
    for folder, below, files in os.walk(root):
        below[:] = [each for each in below if each not in ELSEWHERE and not each.startswith(".")]
        if "pyvenv.cfg" in files:
            below.clear()
            continue
        yield from (Path(folder, file) for file in files if file.endswith(".py"))


def _reads(text: str) -> set[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return set()  # of another Python, or a template: the app has not loaded it either
    own = {name for node in tree.body for name in _bound(node)}
    return {name for node in ast.walk(tree) if (name := _read(node, own))}


def _bound(node: ast.stmt) -> set[str]:
    """What a statement of a module gives a name."""
    match node:
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case ast.ImportFrom(names=names):
            return {alias.asname or alias.name for alias in names}
    return set()


def _read(node: ast.AST, own: Set[str]) -> str:
    match node:
        case ast.Name(id=name, ctx=ast.Load()) if name in own:
            return name
        case (
            ast.Attribute(value=owner, attr=name, ctx=ast.Load())
            | ast.Subscript(value=owner, slice=ast.Constant(value=str(name)), ctx=ast.Load())
            | ast.Call(func=ast.Name(id="getattr"), args=[owner, ast.Constant(value=str(name)), *_])
            | ast.Call(
                func=ast.Attribute(value=owner, attr="get" | "pop" | "setdefault"),
                args=[ast.Constant(value=str(name)), *_],
            )
        ) if _configuration(owner):
            return name
    return ""


def _configuration(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return bool(CONFIGURATION.search(name))
    return False
