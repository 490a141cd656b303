"""Imports point down: no cycles, and Celery is imported only by what runs inside the app's processes."""

import ast
import graphlib
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"
INSIDE = {
    "assay.base_calls",
    "assay.by_hand",
    "assay.cold",
    "assay.elsewhere.aboard",
    "assay.elsewhere.loader",
    "assay.flipping",
    "assay.hollow",
    "assay.inspection",
    "assay.loading",
    "assay.instrument",
    "assay.migration",
    "assay.redirect",
    "assay.role",
    "assay.signatures",
    "assay.told",
    "assay.unmigrated",
    "assay.zygote",
}
THEIRS = {"amqp", "billiard", "celery", "django", "kombu", "vine"}
#: they speak to the broker themselves, as others do by redis-py
CLIENTS = {
    "assay.brokers.amqp_address": {"amqp", "kombu"},
    "assay.brokers.external_rabbitmq": {"amqp"},
    "assay.brokers.rabbitmq": {"amqp"},
    "assay.brokers.rabbitmq_admission": {"amqp"},
    "assay.brokers.virtual_hosts": {"amqp"},
}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__")


FILES = {name_of(path): path for path in SRC.rglob("*.py")}


def imports(path: Path, *, everywhere: bool) -> set[str]:
    """Full names of what a module imports at its top (for types alone does not count), or anywhere."""
    tree = ast.parse(path.read_text())
    nodes = ast.walk(tree) if everywhere else iter(tree.body)
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_no_module_imports_one_that_imports_it() -> None:
    graph = {name: imports(path, everywhere=False) & (FILES.keys() - {"assay"}) for name, path in FILES.items()}
    graph = {name: {other for other in others if not name.startswith(other)} for name, others in graph.items()}
    assert list(graphlib.TopologicalSorter(graph).static_order())


@pytest.mark.parametrize(
    "name", sorted(name for name in FILES if not any(f"{name}.".startswith(f"{each}.") for each in INSIDE))
)
def test_the_harness_never_imports_celery_or_the_apps_frameworks(name: str) -> None:
    roots = {each.partition(".")[0] for each in imports(FILES[name], everywhere=True)}
    assert not roots & THEIRS - CLIENTS.get(name, set())


def test_what_is_recorded_needs_the_standard_library_and_msgspec_only() -> None:
    for name in ("assay.bell", "assay.event", "assay.hold", "assay.recorder", "assay.script", "assay.tape"):
        found = {each.partition(".")[0] for each in imports(FILES[name], everywhere=True)}
        assert found - {"assay"} <= {"msgspec", *__import__("sys").stdlib_module_names}, name


JUDGING = ("assay.page", "assay.checker", "assay.chaos.judging", "assay.reports", "assay.verdict", "assay.conclusion")
ACTING = {"assay.cluster", "assay.landing", "assay.worker", "assay.gate", "assay.faults", "assay.warm", "assay.process"}


@pytest.mark.parametrize("name", sorted(name for name in FILES if name.startswith(JUDGING)))
def test_what_judges_never_imports_what_acts(name: str) -> None:
    reached, left = set(), [name]
    while left:
        module = left.pop()
        new = (imports(FILES[module], everywhere=False) & FILES.keys()) - reached - {"assay"}
        reached |= new
        left += new
    assert not reached & ACTING


@pytest.mark.parametrize(
    "name", sorted(name for name in FILES if not any(f"{name}.".startswith(f"{each}.") for each in INSIDE))
)
def test_the_harness_never_loads_what_runs_inside_the_apps_processes(name: str) -> None:
    """Which would load Celery with it: a fifth of a second at the start of each command."""
    at_once = imports(FILES[name], everywhere=False)
    assert not {each for each in at_once if f"{each}.".startswith(tuple(f"{inside}." for inside in INSIDE))}
