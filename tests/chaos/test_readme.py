"""The README's red run is what the command prints, and both languages show the same."""

import json
import re
from pathlib import Path

import celery
import pytest
from leftovers import assay

ROOT = Path(__file__).parents[2]
LEFT_OUT = "…"
READMES = ("README.md", "README.zh-CN.md")
# What differs from run to run and from machine to machine: numbers, invocations, versions, the run's folder.
CHANGING = re.compile(r"\[[0-9a-f]{8}\]|\d[\w.-]*")
# A worker acknowledges early while its child begins: which of the two is told first is a race.
MOVING = re.compile(r"acknowledged at # s,")
PATHS = re.compile(r"assay-runs/\S+")


def alike(line: str) -> str:
    return CHANGING.sub("#", PATHS.sub("RUN", line)).strip()


def words(text: str) -> list[str]:
    """Without line ends: where a line breaks depends on the numbers in it."""
    return MOVING.sub("", " ".join(" ".join(map(alike, text.splitlines())).split())).split()


def red_run(readme: str) -> str:
    found = re.search(r"holds them -->\n```text\n(.*?)```", (ROOT / readme).read_text(), re.DOTALL)
    assert found, f"{readme} has no red run"
    return found[1]


if celery.VERSION < (5, 7):
    pytest.skip(
        "the README shows what Celery 5.7 does; earlier releases lack some of its settings", allow_module_level=True
    )


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    tmp = tmp_path_factory.mktemp("readme")
    status, said, err = assay("run", "-A", "note:app", "--out", str(tmp / "run"), cwd=ROOT / "examples/note", tmp=tmp)
    assert status == 1, f"exit {status}\n{said}\n{err}"
    rows = json.loads((tmp / "run/report.json").read_text())["results"]
    assert [(row["scenario"], row["task"], row["reason"]) for row in rows if row["verdict"] == "unknown"] == []
    return said


@pytest.mark.parametrize("readme", READMES)
def test_given_the_notes_settings_when_they_are_run_then_the_readme_shows_what_is_printed(
    readme: str, printed: str
) -> None:
    left = iter(words(printed))
    for paragraph in red_run(readme).split("\n\n"):
        for word in words(paragraph.replace(LEFT_OUT, "")):
            assert any(word == each for each in left), f"{word!r} of this paragraph is not printed there:\n{paragraph}"


@pytest.mark.parametrize("readme", READMES)
def test_given_the_notes_settings_when_they_are_run_then_rows_and_counts_are_those_of_the_readme(
    readme: str, printed: str
) -> None:
    def exact(text: str) -> list[str]:
        lines = [" ".join(re.sub(r"\d+ s", "# s", line).split()) for line in text.splitlines()]
        return [
            line for line in lines if re.match(r"\w+ [✓✗?] |[✓✗] VIOLATED|claims |Claims that do not hold |rows ", line)
        ]

    assert [line for line in exact(red_run(readme)) if line not in exact(printed)] == []
    assert len(exact(red_run(readme))) >= 8


def test_given_both_languages_then_they_show_the_same_run_commands_and_pages() -> None:
    english, chinese = ((ROOT / readme).read_text() for readme in READMES)
    assert red_run("README.md") == red_run("README.zh-CN.md")
    for pattern in (r"```sh\n(.*?)```", r"```toml\n(.*?)```", r"```python\n(.*?)```"):
        code = [re.findall(pattern, text, re.DOTALL) for text in (english, chinese)]
        assert code[0] == code[1]
    links = [sorted(set(re.findall(r"\]\(([^)#]+)", text)) - set(READMES)) for text in (english, chinese)]
    assert links[0] == links[1]
    assert [path for path in links[0] if "://" not in path and not (ROOT / path).exists()] == []
