"""Where a setting was given: file and line, found in the sources of the project's own loaded modules."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ARGUMENTS = {"broker_url": "broker", "result_backend": "backend"}  # as `Celery(...)` calls them


class Places:
    """Searches the sources below `workdir` of the modules that are loaded, configuration-like modules first."""

    def __init__(self, workdir: str) -> None:
        self.root = root = Path(workdir).resolve()
        self._lines: list[tuple[str, list[str]]] = []
        files = {Path(file) for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))}
        own = [
            path
            for path in files
            if path.suffix == ".py" and path.is_relative_to(root) and "site-packages" not in path.parts
        ]
        for path in sorted(
            own, key=lambda path: (not re.search("celery|settings|config", str(path.relative_to(root))), str(path))
        ):
            self._lines.append((str(path.relative_to(root)), path.read_text(errors="replace").splitlines()))

    def find(self, key: str) -> str:
        """`file:line` of the last assignment of this setting, under its new, old or namespaced name; "" if none.

        Where there is none it may be an argument of `Celery(...)` itself.
        """
        upper = key.upper()
        bare = upper.removeprefix("TASK_").removeprefix("WORKER_")
        names = "|".join(
            re.escape(name) for name in (key, upper, f"CELERY_{upper}", f"CELERY_{bare}", f"CELERYD_{bare}")
        )
        pattern = re.compile(rf"""(?:^|[\s,({{]|\bconf\.)['"]?(?:{names})\b['"]?\s*[=:](?!=)""")
        return self._last(pattern) or self._argument(ARGUMENTS.get(key, ""))

    def _argument(self, name: str) -> str:
        for path, lines in self._lines if name else ():
            numbers = [keyword.value.lineno for keyword in _of_apps("\n".join(lines)) if keyword.arg == name]
            if numbers:
                return f"{path}:{numbers[-1]}"
        return ""

    def relative(self, file: str) -> str:
        """A file of the project as its settings are told, below `workdir`; any other one as it is."""
        path = Path(file)
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else file

    def find_name(self, name: str) -> str:
        """`file:line` of the last time that this name is a key, or the first of a pair; "" if none."""
        return self._last(re.compile(rf"""(?P<quote>['"]){re.escape(name)}(?P=quote)\s*[:,]"""))

    def _last(self, pattern: re.Pattern[str]) -> str:
        for path, lines in self._lines:
            numbers = [
                number
                for number, line in enumerate(lines, 1)
                if pattern.search(line) and not line.lstrip().startswith("#")
            ]
            if numbers:
                return f"{path}:{numbers[-1]}"
        return ""


def _of_apps(source: str) -> Iterator[ast.keyword]:
    """Arguments of each `Celery(...)`, or of a class that is named like it."""
    if "Celery(" not in source:
        return
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name.endswith("Celery"):
                yield from node.keywords
