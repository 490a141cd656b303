"""The documentation names exactly the keys, options and fields that there are."""

import re
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

from assay.audit.rule import registry as rules
from assay.audit.states import State
from assay.chaos.judging import names
from assay.chaos.script import read
from assay.cli import main
from assay.fault import FAULTS, STRIKING, named
from assay.known import Known
from assay.mutate.mutant import Status
from assay.report import SCHEMA, Claim, Contract, Part, Report
from assay.reports.words import EXIT_WORDS
from assay.scenario import scenarios
from assay.settings import KEYS, load
from assay.verdict import Judgement, Outcome, Result

DOCS = Path(__file__).parents[2] / "docs"


def section(file: str, title: str) -> str:
    """The text under a heading, up to the next heading of level two."""
    text = (DOCS / file).read_text(encoding="utf-8")
    return re.split(r"^## ", text.partition(f"\n## {title}\n")[2], flags=re.MULTILINE)[0]


def test_every_test_that_tox_and_check_name_is_there() -> None:
    for name in ("tox.ini", "check"):
        named = re.findall(r"\btests/[\w./-]+", (DOCS.parent / name).read_text(encoding="utf-8"))
        assert named, name
        assert [path for path in named if not (DOCS.parent / path).exists()] == []


def test_the_configuration_that_is_shown_is_read(tmp_path: Path) -> None:
    shown = re.search(r"```toml\n(.*?)```", (DOCS / "configuration.md").read_text(encoding="utf-8"), re.DOTALL)
    assert shown
    (tmp_path / "assay.toml").write_text(shown[1], encoding="utf-8")
    settings = load({}, cwd=tmp_path)
    assert (settings.app, settings.known[0].scenario) == ("celery_app", "acks_late.cold_*")


def first_cells(text: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)`", text, flags=re.MULTILINE)


def first_column(page: str, heading: str) -> list[str]:
    table = re.search(rf"^\| {heading} \|.*\n\| --- .*\n((?:\|.*\n)+)", page, flags=re.MULTILINE)
    assert table
    return [line.split(" | ")[0].removeprefix("| ") for line in table[1].splitlines()]


def test_every_key_of_the_settings_is_documented_in_their_order() -> None:
    assert first_cells(section("configuration.md", "Keys")) == list(KEYS)


def test_every_key_of_a_known_finding_is_documented() -> None:
    assert first_cells(section("configuration.md", "Known findings")) == list(Known.__struct_fields__)


def test_every_rule_of_an_audit_is_documented_with_its_kind_and_each_of_celery_audits_has_one() -> None:
    listed = {name: line.partition(": ") for name, line in rules().items()}
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+) \|$", section("audit.md", "Rules"), flags=re.MULTILINE)
    assert [(name, kind, line) for name, kind, line in rows] == [
        (name, kind, line) for name, (kind, _, line) in listed.items()
    ]
    theirs = re.findall(r"^\| (CEL\d+) \| (.+) \|$", section("audit.md", "Beside celery-audit"), flags=re.MULTILINE)
    assert [number for number, _ in theirs] == [f"CEL{number:03d}" for number in range(1, 27)]
    assert {name for _, ours in theirs for name in re.findall(r"`(\w+)`", ours)} <= set(listed)


def test_every_status_of_a_mutant_is_documented() -> None:
    page = (DOCS / "mutate.md").read_text(encoding="utf-8")
    assert first_column(page, "status") == list(map(str, Status))


def test_every_state_of_a_setting_is_documented() -> None:
    page = (DOCS / "audit.md").read_text(encoding="utf-8")
    assert [state for state in map(str, State) if f"| {state} | " not in page] == []


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_a_readme_names_every_key_that_a_known_finding_needs(page: str) -> None:
    row = re.search(r"^\|.*\(docs/configuration\.md#known-findings\).*$", (DOCS.parent / page).read_text("utf-8"), re.M)
    needed = [field.name for field in msgspec.structs.fields(Known) if field.required]

    assert row
    assert needed == ["reason", "upstream"]
    assert [name for name in needed if f"`{name}`" not in row[0]] == []


def test_options_that_the_keys_name_exist() -> None:
    options = {option for param in main.commands["run"].params for option in param.opts}

    assert set(re.findall(r"\| `(--[a-z-]+)`", section("configuration.md", "Keys"))) <= options


@pytest.mark.parametrize(
    ("title", "struct"),
    [
        ("Report", Report),
        ("Result", Result),
        ("Judgement", Judgement),
        ("Claim", Claim),
        ("Contract", Contract),
        ("Part", Part),
    ],
)
def test_every_field_of_the_report_is_documented(title: str, struct: type[msgspec.Struct]) -> None:
    assert sorted(first_cells(section("report.md", title))) == sorted(struct.__struct_fields__)


def test_the_schema_number_and_the_outcomes_are_documented() -> None:
    text = (DOCS / "report.md").read_text(encoding="utf-8")

    assert f"**{SCHEMA}**" in text
    assert all(f"`{outcome}`" in text for outcome in Outcome)


def documented_options(command: str) -> dict[str, str]:
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    usage = re.search(rf"^## `assay {command} .*\n((?:(?!## ).*\n)*)", text, flags=re.MULTILINE)
    assert usage, f"docs/cli.md has no section about assay {command}"
    rows = re.findall(r"^\| (`-.+?) \| .*? \| (.+) \|$", usage.group(1), flags=re.MULTILINE)
    return {names.replace("`", ""): meaning for names, meaning in rows}


def options_of(command: click.Command) -> dict[str, Any]:
    options = [param for param in command.params if isinstance(param, click.Option)]
    return {", ".join(param.opts): param.help for param in options}


@pytest.mark.parametrize("name", list(main.commands))
def test_help_and_documentation_tell_the_same_options(name: str) -> None:
    assert documented_options(name) == options_of(main.commands[name])


def test_every_exit_code_is_documented() -> None:
    text = (DOCS / "exit-codes.md").read_text(encoding="utf-8")

    assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, flags=re.MULTILINE)} == {*EXIT_WORDS, 130, 143}


def test_scenarios_and_faults_are_documented_as_they_are() -> None:
    text = (DOCS / "scenarios.md").read_text(encoding="utf-8")
    suites = re.split(r"^## (\w+)$", text, flags=re.MULTILINE)
    told = {}
    for suite, part in zip(suites[1::2], suites[2::2], strict=True):
        for name, fault, line in re.findall(r"^\| `(\w+)` \| ([^|]+) \| (.+) \| [^|]+ \|$", part, flags=re.MULTILINE):
            told[f"{suite}.{name}"] = (fault, line)

    assert told == {name: (each.fault, each.doc) for name, each in scenarios().items()}
    assert (
        dict(re.findall(r"^\| (.+?) \| (.+) \|$", section("scenarios.md", "Faults"), flags=re.MULTILINE)[2:]) == FAULTS
    )


def test_the_faults_of_a_chaos_run_are_documented_as_they_are() -> None:
    rows = re.findall(
        r"^\| ([a-z][a-z-]+) \| (.+?) \| (.+?) \|$", section("chaos.md", "The faults"), flags=re.MULTILINE
    )
    assert {(slug, name, points) for slug, name, points in rows} == {
        (named(name), name, ", ".join(fault.points)) for name, fault in STRIKING.items()
    }


def test_the_script_that_is_shown_can_be_run(tmp_path: Path) -> None:
    text = (DOCS / "chaos.md").read_text(encoding="utf-8")
    path = tmp_path / "chaos.toml"
    path.write_text(text.partition("```toml\n")[2].partition("```")[0])
    assert read(path).faults[0].invocation == 12


def test_the_rows_of_a_chaos_run_are_documented() -> None:
    told = set(re.findall(r"`(chaos\.\w+)`", section("chaos.md", "What is judged")))
    assert told <= set(names())
    assert {name for name in names() if named(name.removeprefix("chaos.")) not in map(named, STRIKING)} <= told
