"""What `assay list` prints: the names of what there is, each with a line about it; of Celery's findings the page."""

import importlib
from collections import Counter
from collections.abc import Callable

from assay.celery_findings import page
from assay.counted import counted
from assay.settings import Settings

KINDS = ("suites", "scenarios", "faults", "checkers", "rules")
MODULES = {"rules": "assay.audit.rule"}


def listed(what: str | None, settings: Callable[[], Settings]) -> str:
    """One kind, or all of KINDS under a heading each. `settings` is asked for only where the app is needed."""
    if what == "findings":
        return page()
    if what:
        return _lines(names(what, settings))
    return "\n".join(f"{kind}\n{_lines(names(kind, settings), indent=2)}" for kind in KINDS)


def names(what: str, settings: Callable[[], Settings]) -> dict[str, str]:
    """Name -> one line about it. Raises UsageError where the app cannot be loaded."""
    if what == "tasks":
        from assay.run import list_tasks

        tasks: dict[str, str] = list_tasks(settings())
        return tasks
    if what == "suites":
        return _suites(names("scenarios", settings))
    module = importlib.import_module(MODULES.get(what) or f"assay.{what.removesuffix('s')}")
    registry: dict[str, str] = module.registry()
    return registry


def _suites(scenarios: dict[str, str]) -> dict[str, str]:
    counts = Counter(name.partition(".")[0] for name in scenarios)
    return {suite: counted(number, "scenario") for suite, number in counts.items()}


def _lines(told: dict[str, str], indent: int = 0) -> str:
    width = max(map(len, told), default=0)
    return "".join(f"{' ' * indent}{name:<{width}}  {line}".rstrip() + "\n" for name, line in told.items())
