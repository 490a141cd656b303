"""Which names somebody's sources read: a setting that Celery does not know may be the app's own, or a package's.

A name counts as read where a module's own is loaded (`NAME`), as an attribute of a configuration (`conf.NAME`), or by
its spelling (`conf["NAME"]`, `settings.get("NAME")`, `getattr(conf, "NAME")`). What holds a configuration is known by
its own name: an environment variable, or an attribute of a worker, may be called the same and is another thing. What
only hands it on to the configuration under its own name, and what only a test reads, reads nothing.
"""

import ast
import contextlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Set
from pathlib import Path

CONFIGURATION = re.compile("conf|cfg|setting", re.IGNORECASE)
ELSEWHERE = {"node_modules", "site-packages", "__pycache__", "tests", "test"}
TESTS = re.compile(r"test_.*|.*_test|tests|conftest")
#: what a package may take for its own setting in a Celery configuration; other names mean something else there
LIKE_CELERYS = re.compile("(task|worker|broker|result|event|beat|redis|control|database|cache)_", re.IGNORECASE)
#: their own names for old settings, and what looks at all of them, are no use of one
CELERYS = {"celery", "kombu", "billiard", "vine", "amqp", "assay", "django_celery_results"}


def read_in(root: Path, names: Mapping[str, str]) -> set[str]:
    """Those of the names that anybody reads: a source file below `root`, or a package that is loaded.

    `names` says for each in which file it is given, relative to `root`; "" where that is not known.
    """
    like_celerys = {name: given for name, given in names.items() if LIKE_CELERYS.match(name)}
    return _of(sources(root), root, names) | _of(_packages(root), root, like_celerys)


def _of(paths: Iterable[Path], root: Path, names: Mapping[str, str]) -> set[str]:
    found: set[str] = set()
    for path in paths if names else ():
        with contextlib.suppress(OSError):  # a lock file of an editor is a link to nothing
            text = path.read_text(errors="replace")
            if any(name in text for name in names.keys() - found):
                found |= _reads(text, path, root, names)
    return found


def sources(root: Path) -> Iterator[Path]:
    for folder, below, files in os.walk(root):
        below[:] = [each for each in below if each not in ELSEWHERE and not each.startswith(".")]
        if "pyvenv.cfg" in files:
            below.clear()
            continue
        for file in files:
            if file.endswith(".py") and not file.startswith(".") and not TESTS.fullmatch(file.removesuffix(".py")):
                yield Path(folder, file)


def _packages(root: Path) -> list[Path]:
    """Sources of loaded modules that are neither the project's nor Celery's nor Python's own."""
    known = CELERYS | set(sys.stdlib_module_names)
    modules = [module for name, module in list(sys.modules.items()) if name.partition(".")[0] not in known]
    files = {Path(file) for module in modules if (file := getattr(module, "__file__", None))}
    return sorted(
        path
        for path in files
        if path.suffix == ".py" and (not path.is_relative_to(root) or "site-packages" in path.parts)
    )


def _reads(text: str, path: Path, root: Path, names: Mapping[str, str]) -> set[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return set()  # of another Python, or a template: the app has not loaded it either
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    here = str(path.relative_to(root)) if path.is_relative_to(root) else ""
    bound = {name for node in tree.body for name in _bound(node)}
    own = {
        name
        for name, given in names.items()
        if {name, "*"} & imported or given == here or (not given and name in bound)
    }
    handed_on = {id(node) for each in ast.walk(tree) for node in _handed_on(each)}
    found = {name for node in ast.walk(tree) if id(node) not in handed_on and (name := _read(node, own))}
    return found & names.keys()


def _bound(node: ast.stmt) -> set[str]:
    """What a statement of a module gives a name."""
    match node:
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
    return set()


def _handed_on(node: ast.AST) -> Iterator[ast.AST]:
    """Values that are given to the configuration under a name of their own."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="update"), args=args, keywords=keywords) if _configuration(
            owner
        ):
            pairs = [(each.arg or "", each.value) for each in keywords]
            for each in args:
                if isinstance(each, ast.Dict):
                    keys = [key.value if isinstance(key, ast.Constant) else "" for key in each.keys]
                    pairs += zip(map(str, keys), each.values, strict=True)
        case ast.Assign(targets=[ast.Attribute(value=owner, attr=name)], value=value) if _configuration(owner):
            pairs = [(name, value)]
        case ast.Assign(targets=[ast.Subscript(value=owner, slice=ast.Constant(value=str(name)))], value=value) if (
            _configuration(owner)
        ):
            pairs = [(name, value)]
        case _:
            return
    for name, value in pairs:
        for inner in ast.walk(value):
            if _bare(_read(inner, {*_names(inner)})) == _bare(name):
                yield inner


def _names(node: ast.AST) -> set[str]:
    return {node.id} if isinstance(node, ast.Name) else set()


def _bare(name: str) -> str:
    return name.lower().removeprefix("celery_")


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
        case ast.Call(func=function):
            return _configuration(function)
    return False
