"""What lies in a run folder, read for its page."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from assay import case as cases
from assay import facts as kept_facts
from assay import kept
from assay.counted import counted
from assay.history import History
from assay.inventory import Inventory
from assay.mutate.mutant import Mutation
from assay.page.reading import Reading, read
from assay.page.shown import Artefact
from assay.report import Report
from assay.verdict import CHAOS, Result, Verdict

MUTANTS = "mutants.json"
EVENTS = 60_000  # that are read into a page; many more would not fit
FILES = 80
WHAT = {
    "report.json": "the report, for programs",
    "report.md": "the report, for a pull request",
    "report.html": "this page",
    "gate.json": "what the gate demanded, and its verdict",
    "compare.json": "what changed since the baseline",
    "facts.json": "what the run was of",
    "audit.json": "each setting, its claim and its state",
    "blame.json": "the smallest changes that make red rows hold",
    MUTANTS: "mutants of the settings",
    "chaos.toml": "the script of a chaos run, which `assay replay` runs again",
    "crash.txt": "how the harness broke",
    "cases": "a folder for each row: events, logs of its workers, what is judged",
    "canary": "the configuration that is broken on purpose",
    "chaos": "events and logs of the chaos run",
}


class Found(msgspec.Struct, kw_only=True):
    """`readings` and `rows` go together, the worst row first. `missing`: rows whose events are not there."""

    folder: Path
    report: Report
    readings: list[Reading]
    rows: list[list[Result]]
    named: dict[str, Verdict]
    mutation: Mutation | None = None
    artefacts: list[Artefact] = []
    missing: int = 0


def gather(folder: Path, report: Report, most: int = EVENTS) -> Found:
    """Read the histories that the report's rows are about. Raises UsageError for what is damaged."""
    by_folder: dict[str, list[Result]] = {}
    for row in sorted(report.results, key=lambda row: (-row.verdict.rank, bool(row.known))):
        by_folder.setdefault(row.folder, []).append(row)
    named = named_by(report.results)
    readings, rows, missing = [], [], 0
    for place, some in by_folder.items():
        where = folder / place
        if not place or not (where / "events").is_dir() or not where.resolve().is_relative_to(folder.resolve()):
            missing += len(some)
            continue
        reading = read(where, History(where, _due(folder, where, some)), most, named)
        most = max(0, most - len(reading.events))
        readings.append(reading)
        rows.append(some)
    return Found(
        folder=folder,
        report=report,
        readings=readings,
        rows=rows,
        named=named,
        mutation=kept.kept(folder / MUTANTS, Mutation, "one of mutants") if (folder / MUTANTS).exists() else None,
        artefacts=list(_artefacts(folder)),
        missing=missing,
    )


def named_by(results: Sequence[Result]) -> dict[str, Verdict]:
    """{invocation: the worst verdict of a judgement that names it}, held ones left out; known violations are none."""
    named: dict[str, Verdict] = {}
    for row in results:
        for judgement in row.judgements if not row.known else ():
            if judgement.verdict is not Verdict.HELD:
                for each in judgement.invocations:
                    named[each] = Verdict.worst([judgement.verdict, named.get(each, Verdict.HELD)])
    return named


def _due(folder: Path, where: Path, rows: Sequence[Result]) -> Inventory:
    """What was judged; nothing is known of it where a run was broken off."""
    if rows[0].suite == CHAOS:
        return kept_facts.read(folder).events if (folder / kept_facts.NAME).exists() else {}
    return cases.read(where).events if (where / cases.NAME).exists() else {}


def _artefacts(folder: Path) -> Iterator[Artefact]:
    for path in sorted(folder.iterdir(), key=lambda path: (path.is_dir(), path.name))[:FILES]:
        if path.name.startswith("."):
            continue
        what = WHAT.get(path.name, "")
        if path.is_dir():
            inside = sum(1 for _ in path.iterdir())
            yield Artefact(f"{path.name}/", what or counted(inside, "entry").replace("entrys", "entries"), 0)
        else:
            yield Artefact(path.name, what, path.stat().st_size)
