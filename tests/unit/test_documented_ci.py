"""docs/ci.md: its workflows are valid, call commands that there are, and upload files that are written."""

import re
import shlex
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from check_jsonschema import main as check_jsonschema
from click import Context
from click.testing import CliRunner
from ruamel.yaml import YAML

from assay.cli import main
from assay.gating.table import Demands
from assay.gating.told import Gated, Part
from assay.reports.formats import FORMATS
from assay.settings import load

PAGE = (Path(__file__).parents[2] / "docs" / "ci.md").read_text(encoding="utf-8")
FOLDER = "reliability"
WRITTEN = {*(each.file for each in FORMATS.values()), "report.md", "gate.json", "audit.json", "compare.json"}
SCHEMAS = {".github/workflows/reliability.yml": "vendor.github-workflows", ".gitlab-ci.yml": "vendor.gitlab-ci"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def workflows() -> dict[str, str]:
    """{path that a block says: its text}"""
    return {text.partition("\n")[0].removeprefix("# "): text for text in blocks("yaml")}


def parsed(name: str) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(StringIO(workflows()[name]))
    return found


def is_valid(text: str, schema: str, folder: Path) -> bool:
    path = folder / "workflow.yml"
    path.write_text(text)
    return CliRunner().invoke(check_jsonschema, ["--builtin-schema", schema, str(path)]).exit_code == 0


def test_there_is_a_workflow_for_each_server() -> None:
    assert workflows().keys() == SCHEMAS.keys()


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_workflow_is_valid_and_one_with_a_wrong_key_is_not(name: str, tmp_path: Path) -> None:
    text = workflows()[name]
    assert is_valid(text, SCHEMAS[name], tmp_path)
    assert not is_valid(re.sub("timeout(-minutes)?:", "time-out:", text), SCHEMAS[name], tmp_path)


def commands() -> list[str]:
    """Every line of the page's workflows and examples that calls assay."""
    steps = parsed(".github/workflows/reliability.yml")["jobs"]["gate"]["steps"]
    lines = [line for step in steps for line in step.get("run", "").splitlines()]
    lines += parsed(".gitlab-ci.yml")["reliability"]["script"]
    lines += [line for text in blocks("sh") for line in text.splitlines()]
    return [line for line in lines if line.startswith("assay ")]


def test_every_command_line_is_one_that_assay_takes() -> None:
    found = commands()
    assert len(found) >= 5
    for line in found:
        name, *arguments = shlex.split(line)[1:]
        context = main.commands[name].make_context(name, arguments, parent=Context(main))
        assert context.params, line


def uploaded() -> set[str]:
    """Paths of both workflows, as they are spelt there."""
    steps = parsed(".github/workflows/reliability.yml")["jobs"]["gate"]["steps"]
    given = [step.get("with", {}) for step in steps]
    paths = {each["sarif_file"] for each in given if "sarif_file" in each}
    paths |= {path for each in given for path in each.get("path", "").split()}
    artifacts = parsed(".gitlab-ci.yml")["reliability"]["artifacts"]
    return paths | {*artifacts["paths"], *artifacts["reports"].values()}


def test_every_file_that_is_uploaded_is_one_that_a_gate_writes() -> None:
    folder, _, _ = FOLDER.partition("/")
    names = {path.removeprefix(f"{folder}/") for path in uploaded()}
    assert names - {""} <= WRITTEN
    assert {"report.sarif", "junit.xml", "codequality.json", "gate.json"} <= names
    assert all(f"--out {folder}" in line for line in commands() if line.startswith("assay gate"))


def test_the_table_of_files_names_all_that_are_written_with_their_options() -> None:
    rows = re.findall(r"^\| (`[^|]*`) \|([^|]*)\|", PAGE.partition("## What it writes")[2], re.MULTILINE)
    named = {file: option.strip("` ") for files, option in rows for file in re.findall(r"`([^`]+)`", files)}
    assert named.keys() == WRITTEN
    assert {option: file for file, option in named.items() if option} == {
        f"--{name}": each.file for name, each in FORMATS.items()
    }


def test_the_demands_that_are_shown_are_read_and_all_are_told(tmp_path: Path) -> None:
    (shown,) = blocks("toml")
    (tmp_path / "assay.toml").write_text(shown)
    assert load({}, cwd=tmp_path).gate == Demands(120, 100, "broken", tmp_path / "reliability-baseline.json")
    keys = re.findall(r"^\| `(\w+)` \|", PAGE.partition("## What it demands")[2].partition("\n## ")[0], re.MULTILINE)
    assert set(keys) == {*Demands.__struct_fields__}


@pytest.mark.parametrize("what", [Gated, Part])
def test_every_field_of_gate_json_is_told(what: type[msgspec.Struct]) -> None:
    told = PAGE.partition("`gate.json` is an object")[2].partition("\n\n")[0]
    assert [field for field in what.__struct_fields__ if f"`{field}`" not in told] == []
