"""ARCHITECTURE.md: imports point down its table, but for the data that it names."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
ABOVE = ("cli", "chaos", "elsewhere", "contract", "gating", "audit", "blame", "compare", "against", "mutate", "page")


def imported(source: str) -> Iterator[str]:
    """The modules of Assay that are imported when it runs: not for annotations alone."""
    left: list[ast.AST] = [ast.parse(source)]
    while left:
        node = left.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("assay."):
            yield str(node.module)
        left += ast.iter_child_nodes(node)


def test_what_an_import_is_and_what_is_for_annotations_alone() -> None:
    source = "if TYPE_CHECKING:\n    from assay.a import A\ndef f():\n    from assay.b import B\n"
    assert list(imported(source)) == ["assay.b"]


def test_reports_import_from_above_only_the_data_that_is_named() -> None:
    files = (ROOT / "src/assay/reports").glob("*.py")
    found = {name for file in files for name in imported(file.read_text(encoding="utf-8"))}
    above = {name for name in found if name.split(".")[1] in ABOVE}
    (named,) = re.findall(r"^Only `reports/` looks up: (.*?)\n\n", PAGE, flags=re.DOTALL | re.MULTILINE)
    files_named = set(re.findall(r"`(\w+/\w+)\.py`", named))
    assert {name.removeprefix("assay.").replace(".", "/") for name in above} == files_named
