"""What the project's sources do with tasks: where they publish, which nobody imports; and passwords in them."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from assay.audit.written import Dispatch, Unreached
from assay.inspection.sources import sources
from assay.places import Places

RACING = ("delay", "apply_async", "send_task")
PUBLISHES = re.compile(r"\.(?:delay|apply_async|send_task)\(")
DECORATES = re.compile(r"@\s*(?:shared_task|\w+\.task)\b")
PASSWORD = re.compile(r"""['"]\w+://[^\s'"/@:{}]*:(?P<password>[^\s'"/@{}]+)@[^\s'"]*['"]""")
ADDRESSES = {"broker_url": "broker", "result_backend": "backend"}


def dispatches(root: Path) -> list[Dispatch]:
    """Every call that publishes, in the order of files and lines."""
    found: list[Dispatch] = []
    for path in sorted(sources(root)):
        text = path.read_text(errors="replace")
        if PUBLISHES.search(text) and (tree := _tree(text)):
            found += _calls(tree, str(path.relative_to(root)), in_transaction=False)
    return found


def unreached(root: Path, registered: set[str]) -> list[Unreached]:
    """Modules that define tasks by a decorator, none of which is registered, and that are not loaded."""
    loaded = {Path(file).resolve() for module in list(sys.modules.values()) if (file := _file(module))}
    found = []
    for path in sorted(sources(root)):
        text = path.read_text(errors="replace") if path.resolve() not in loaded else ""
        if not DECORATES.search(text) or not (tree := _tree(text)):
            continue
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and _decorated(node)]
        module = ".".join(path.relative_to(root).with_suffix("").parts)
        names = tuple(f"{module}.{node.name}" for node in functions)
        if names and not registered & set(names):
            found.append(Unreached(module, f"{path.relative_to(root)}:{functions[0].lineno}", names))
    return found


def passwords(places: Places) -> dict[str, str]:
    """Of the broker's and the backend's address, where the source has it in clear."""
    found = {}
    for setting in ADDRESSES:
        place = places.find(setting)
        path, _, line = place.rpartition(":")
        text = (places.root / path).read_text(errors="replace").splitlines() if path else []
        if text and PASSWORD.search(text[int(line) - 1]):
            found[setting] = place
    return found


def _tree(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None  # of another Python, or a template


def _file(module: object) -> str | None:
    file = getattr(module, "__file__", None)
    return file if isinstance(file, str) else None


def _decorated(node: ast.FunctionDef) -> bool:
    for each in node.decorator_list:
        name = each.func if isinstance(each, ast.Call) else each
        if isinstance(name, ast.Name) and name.id == "shared_task":
            return True
        if isinstance(name, ast.Attribute) and name.attr == "task":
            return True
    return False


def _calls(node: ast.AST, file: str, *, in_transaction: bool) -> Iterator[Dispatch]:
    for child in ast.iter_child_nodes(node):
        inside = in_transaction
        if isinstance(child, ast.With | ast.AsyncWith):
            inside = inside or any(_atomic(item.context_expr) for item in child.items)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = any(_atomic(each) for each in child.decorator_list)  # what is only defined there runs later
        elif isinstance(child, ast.Lambda):
            inside = False
        elif isinstance(child, ast.Call) and isinstance(child.func, ast.Attribute) and child.func.attr in RACING:
            queue = next((each.value for each in child.keywords if each.arg == "queue"), None)
            yield Dispatch(
                place=f"{file}:{child.lineno}",
                method=child.func.attr,
                queue=queue.value if isinstance(queue, ast.Constant) and isinstance(queue.value, str) else "",
                in_transaction=inside,
            )
        yield from _calls(child, file, in_transaction=inside)


def _atomic(node: ast.expr) -> bool:
    """`transaction.atomic()`, `atomic`, `atomic("other")`."""
    name = node.func if isinstance(node, ast.Call) else node
    return (isinstance(name, ast.Name) and name.id == "atomic") or (
        isinstance(name, ast.Attribute) and name.attr == "atomic"
    )
