"""What became of the mutants of a configuration: for a person, and in the schema of Stryker's reports."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from assay.audit.secrets import hidden
from assay.mutate.mutant import Mutation, Outcome, Status
from assay.reports.findings import facts, title
from assay.reports.printed import printed
from assay.reports.words import plain

STYLES = {
    Status.SURVIVED: "bold red",
    Status.NO_COVERAGE: "yellow",
    Status.UNKNOWN: "yellow",
    Status.REFUSED: "green",
    Status.KILLED: "green",
    Status.EQUIVALENT: "dim",
    Status.SHADOWED: "dim",
    Status.NOT_APPLICABLE: "dim",
}
#: https://github.com/stryker-mutator/mutation-testing-elements, packages/report-schema, version 2
STRYKERS = {
    Status.SURVIVED: "Survived",
    Status.NO_COVERAGE: "NoCoverage",
    Status.UNKNOWN: "Pending",
    Status.REFUSED: "CompileError",
    Status.KILLED: "Killed",
    Status.EQUIVALENT: "Ignored",
    Status.SHADOWED: "Ignored",
    Status.NOT_APPLICABLE: "Ignored",
}
CAN_BE_KILLED = (Status.SURVIVED, Status.KILLED)
_BY = (0, 0, 0, 2)
SHOWN = 240  # characters of a reason


def render(mutation: Mutation, *, width: int, color: bool, ascii_only: bool = False) -> str:
    """The whole report as text of `width` columns, with ANSI codes only where `color` is asked for."""
    return printed(_parts(mutation), width=width, color=color, ascii_only=ascii_only)


def json(mutation: Mutation) -> str:
    """As it is written to a file."""
    return msgspec.json.format(msgspec.json.encode(mutation), indent=2).decode() + "\n"


def stryker(mutation: Mutation, root: Path) -> str:
    """Version 2 of the schema; mutants whose place is not known are left out. `root` is what places are below."""
    files: dict[str, dict[str, Any]] = {}
    for number, each in enumerate(mutation.outcomes):
        path, _, line = each.mutant.place.rpartition(":")
        if not path or not (root / path).is_file() or not (root / path).resolve().is_relative_to(root.resolve()):
            continue
        source = hidden((root / path).read_text(encoding="utf-8", errors="replace"))
        file = files.setdefault(path, {"language": "python", "source": source, "mutants": []})
        file["mutants"].append(_stryker(number, each, int(line), source.splitlines()))
    report = {
        "schemaVersion": "2",
        "thresholds": {"high": 100, "low": 80},
        "files": files,
        "framework": {"name": "assay"},
    }
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def tally(outcomes: Sequence[Outcome]) -> str:
    """ "20 killed of 21 that can be, 1 survived, 4 no coverage"."""
    counts = Counter(each.status for each in outcomes)
    able = sum(counts[status] for status in CAN_BE_KILLED)
    others = [f"{counts[status]} {status}" for status in Status if counts[status] and status is not Status.KILLED]
    return ", ".join([f"{counts[Status.KILLED]} killed of {able} that can be", *others])


def _stryker(number: int, outcome: Outcome, line: int, lines: list[str]) -> dict[str, Any]:
    text = lines[line - 1] if line <= len(lines) else ""
    begin = len(text) - len(text.lstrip()) + 1
    found = {
        "id": str(number),
        "mutatorName": outcome.mutant.setting,
        "replacement": outcome.mutant.change,
        "location": {"start": {"line": line, "column": begin}, "end": {"line": line, "column": len(text) + 1}},
        "status": STRYKERS[outcome.status],
        "statusReason": outcome.said,
        "duration": round(outcome.duration_s * 1000),
    }
    if outcome.killer:
        found["killedBy"] = [outcome.killer]
    return found


def _parts(mutation: Mutation) -> Iterator[RenderableType]:
    for status in Status:
        some = [each for each in mutation.outcomes if each.status is status]
        if some:
            yield title(f"{str(status).capitalize()} ({len(some)})", STYLES[status])
        for each in some:
            yield Padding(Text.assemble((plain(each.mutant.change), "bold"), (f"  {each.mutant.place}", "cyan")), _BY)
            told = [("by", each.killer), ("since" if each.killer else "", each.said)]
            yield Padding(facts(*[(name or "why", plain(_shortened(value))) for name, value in told]), (0, 0, 0, 6))
    if mutation.red_already:
        yield title("Red or not judged without any mutant, so they kill nothing")
        yield from (Padding(Text(plain(each)), _BY) for each in mutation.red_already)
    yield Text("")
    took = f"{mutation.broker}, {mutation.pool}, {mutation.duration_s:.0f} s"
    yield Text.assemble((tally(mutation.outcomes), "bold"), f"; {took}; exit code {mutation.exit_code}")


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
