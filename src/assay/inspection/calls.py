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
DECORATES = re.compile(r"^\s*@.*task", re.MULTILINE)
#: folders of copies and of what is not run, unless the app has loaded them
ASIDE = {"build", "dist", "docs", "examples"}
APPS = {"app", "celery", "celery_app"}  # as an app is called that another module imports
PASSWORD = re.compile(r"""['"]\w+://[^\s'"/@:{}]*:(?P<password>[^\s'"/@{}]+)@[^\s'"]*['"]""")
ELSEWHERE = re.compile(r"\b(?:environ|getenv|env|config)\b\s*[\[(.]", re.IGNORECASE)
PLACEHOLDER = re.compile(r":(?:[^@]*%[s(]|<[^@]*>@|\$|guest@(?:localhost|127\.0\.0\.1)\b)")
ADDRESSES = {"broker_url": "broker", "result_backend": "backend"}


def read(root: Path, registered: set[str]) -> tuple[list[Dispatch], list[Unreached]]:
    """Calls that publish to a named queue or in a transaction, and modules whose tasks nothing has loaded.

    Each source is read once, and only what a rule asks for is kept: a large project has thousands of calls.
    """
    loaded = {Path(file).resolve() for module in list(sys.modules.values()) if (file := _file(module))}
    dispatches: list[Dispatch] = []
    unreached: list[Unreached] = []
    for path in sorted(sources(root)):
        relative, known = path.relative_to(root), path.resolve() in loaded
        if not known and ASIDE & {*relative.parts[:-1]}:
            continue
        try:
            text = path.read_text(errors="replace")
        except OSError:  # a lock file of an editor is a link to nothing
            continue
        publishes, defines = PUBLISHES.search(text), not known and DECORATES.search(text)
        tree = _tree(text) if publishes or defines else None
        if tree and publishes:
            calls = sorted(_calls(tree), key=lambda call: call[0].lineno)
            dispatches += [made for call, inside in calls if (made := _dispatch(call, str(relative), inside))]
        if tree and defines and (functions := _tasks(tree)):
            module = ".".join(relative.with_suffix("").parts)
            names = tuple(f"{module}.{node.name}" for node in functions)
            if not registered & {*names}:
                unreached.append(Unreached(module, f"{relative}:{functions[0].lineno}", names))
    return dispatches, unreached


def passwords(places: Places) -> dict[str, str]:
    """Of the broker's and the backend's address, where the source has it in clear."""
    found = {}
    for setting in ADDRESSES:
        place = places.find(setting)
        path, _, line = place.rpartition(":")
        text = (places.root / path).read_text(errors="replace").splitlines() if path else []
        if text and _has_password(_from(text[int(line) - 1], setting)):
            found[setting] = place
    return found


def _from(line: str, setting: str) -> str:
    """Where several settings are in a line, from this one on to the next."""
    names = "|".join({setting, setting.upper(), ADDRESSES[setting]})
    found = re.search(rf"(?:{names})\b.*?(?=,\s*['\"]?\w+['\"]?\s*[=:](?!//)|$)", line)
    return found.group() if found else line


def _has_password(line: str) -> bool:
    """Not the default of a variable, a placeholder, or the one that every RabbitMQ begins with."""
    found = PASSWORD.search(line)
    return found is not None and not ELSEWHERE.search(line) and not PLACEHOLDER.search(found.group())


def _tree(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # of another Python, or a template


def _file(module: object) -> str | None:
    file = getattr(module, "__file__", None)
    return file if isinstance(file, str) else None


def _tasks(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions that are made tasks of Celery: `.task` of anything else (a scheduler, Airflow) is not Celery's."""
    shared, apps = set(), set()
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module="celery", names=aliases):
                shared |= {each.asname or each.name for each in aliases if each.name == "shared_task"}
            case ast.ImportFrom(names=aliases):
                apps |= {each.asname or each.name for each in aliases} & APPS
            case ast.Import(names=aliases):
                shared |= {f"{each.asname or each.name}.shared_task" for each in aliases if each.name == "celery"}
            case (
                ast.Assign(
                    targets=[ast.Name(id=name)],
                    value=ast.Call(func=ast.Name(id=maker) | ast.Attribute(attr=maker)),
                )
                | ast.AnnAssign(
                    target=ast.Name(id=name),
                    value=ast.Call(func=ast.Name(id=maker) | ast.Attribute(attr=maker)),
                )
            ) if maker.endswith("Celery"):
                apps.add(name)
    decorators = shared | {f"{app}.task" for app in apps}
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and decorators & {_dotted(each.func if isinstance(each, ast.Call) else each) for each in node.decorator_list}
    ]


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return f"{owner}.{name}"
    return ""


def _calls(tree: ast.Module) -> Iterator[tuple[ast.Call, bool]]:
    """Those that publish, and whether in a transaction. Not recursive: an expression may be as deep as it likes."""
    left: list[tuple[ast.AST, bool]] = [(tree, False)]
    while left:
        node, inside = left.pop()
        if isinstance(node, ast.With | ast.AsyncWith):
            inside = inside or any(_atomic(item.context_expr) for item in node.items)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = any(_atomic(each) for each in node.decorator_list)  # what is only defined there runs later
        elif isinstance(node, ast.Lambda):
            inside = False
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in RACING:
            yield node, inside
        left += [(child, inside) for child in ast.iter_child_nodes(node)]


def _dispatch(call: ast.Call, file: str, in_transaction: bool) -> Dispatch | None:
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    given = {each.arg: each.value for each in call.keywords if each.arg}
    queue = "" if method == "delay" else _text(given.get("queue"))  # of delay() it is an argument of the task
    if not queue and not in_transaction:
        return None
    task = _text(call.args[0] if call.args else given.get("name")) if method == "send_task" else ""
    return Dispatch(place=f"{file}:{call.lineno}", method=method, task=task, queue=queue, in_transaction=in_transaction)


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _atomic(node: ast.expr) -> bool:
    """`transaction.atomic()`, `atomic`, `atomic("other")`."""
    name = node.func if isinstance(node, ast.Call) else node
    return (isinstance(name, ast.Name) and name.id == "atomic") or (
        isinstance(name, ast.Attribute) and name.attr == "atomic"
    )
