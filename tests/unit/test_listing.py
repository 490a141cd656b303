"""`assay list` over what is really there, nothing faked."""

import ast
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from assay import checkers
from assay.celery_findings import NAME
from assay.cli import main
from assay.fault import FAULTS, STRIKING
from assay.scenario import SUITES, scenario, scenarios


def listed(*words: str) -> str:
    result = CliRunner().invoke(main, ["list", *words], prog_name="assay")
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("suites", set(SUITES)),
        ("scenarios", set(scenarios())),
        ("faults", set(FAULTS)),
        ("checkers", {each.__struct_config__.tag for each in checkers.ALL}),
    ],
)
def test_each_kind_names_all_there_is_with_a_line_about_each(kind: str, expected: set[str]) -> None:
    lines = listed(kind).splitlines()
    named = {name for name in expected for line in lines if line.startswith(name + "  ") and line != name}
    assert named == expected
    assert len(lines) == len(expected)


def test_without_a_kind_everything_is_named() -> None:
    assert {"suites", "scenarios", "faults", "checkers"} <= set(listed().splitlines())


def test_every_fault_is_landed_by_a_scenario_or_a_chaos_run() -> None:
    assert {each.fault for each in scenarios().values()} | set(STRIKING) == set(FAULTS)


def test_a_scenario_with_a_fault_that_nobody_described_is_refused() -> None:
    with pytest.raises(KeyError, match="a curse is no fault"):
        scenario("retries", fault="a curse")(lambda stage: None)


ROOT = Path(__file__).parents[2]


def test_the_findings_are_the_page_of_the_documentation_and_the_build_takes_it_along() -> None:
    assert listed("findings").strip() == (ROOT / "docs" / NAME).read_text(encoding="utf-8").strip()
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    assert build["targets"]["wheel"]["force-include"] == {f"docs/{NAME}": f"assay/{NAME}"}


def test_no_sentence_for_users_points_at_a_page_that_only_a_checkout_has() -> None:
    pointing = []
    for path in (ROOT / "src").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docstrings)
        pointing += [path.name for node in texts if isinstance(node.value, str) and f"docs/{NAME}" in node.value]
    assert pointing == []
