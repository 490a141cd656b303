"""A baseline: what runs proved, as a small file for a repository: a row a line, and no time that changes by itself.

It can stand for a run, or for several of the same: then each row tells what became of it in each of them.
"""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from assay.compare.differences import NO_OPTIONS, UNTOLD, key_of, means_nothing, place
from assay.compare.fit import alike
from assay.compare.rows import Key, by_task, unrun
from assay.counted import counted, listed
from assay.errors import UsageError
from assay.report import BASELINE, CANARY_LOST, Claim, Contract, Part, Report, exit_code
from assay.verdict import Outcome, Result, Verdict

NAME = BASELINE
SCHEMA = 1
MARK = "assay_baseline"  # the key by which such a file is known
MOST_RUNS = 1000  # that a file may stand for: each becomes a report
SHOWN = 3  # names of rows
STEP_S = 10  # recovery is rounded up to it, so that the file does not change by noise


class Row(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One scenario for the tasks that behaved alike. A list has an entry for each run, the newest last."""

    scenario: str
    tasks: Annotated[list[str], msgspec.Meta(min_length=1)]
    fault: str
    verdict: Verdict | list[Verdict]
    outcome: Outcome | list[Outcome | None] | None = None
    recovery_s: int | list[int | None] | None = None
    claim: str = ""
    promise: str = ""
    known: str = ""


class Baseline(msgspec.Struct, kw_only=True):
    """The content of the file."""

    assay_baseline: int = SCHEMA
    runs: Annotated[int, msgspec.Meta(le=MOST_RUNS)]
    app: dict[str, Any]  # name, module
    environment: dict[str, str]
    broker: dict[str, Any]
    selection: dict[str, list[str]] = {}
    settings: dict[str, Any]
    origins: dict[str, dict[str, str]]
    tasks: dict[str, dict[str, Any]]  # their options, without those that are off
    contracts: list[Contract] = []  # parts that the team requires, tasks that are held to the same together
    claims: list[Claim] = []  # that no run was needed for
    canary: str = ""  # of the newest run; "": there was none, or a file of an earlier version does not tell
    rows: list[Row]


BY_LINE = ("settings", "origins", "tasks", "contracts", "claims", "rows")


def of(reports: Sequence[Report], *, even_red: bool = False) -> tuple[Baseline, list[str]]:
    """Of the runs that are of the same thing as the newest, and why others are left out.

    Raises UsageError; without `even_red` also where that is what no later run would be held to.
    """
    used, notes = alike(reports)
    newest = used[-1]
    if not newest.results:
        raise UsageError("the run has no rows, so there is nothing to keep of it: nothing was run")
    if not even_red and (why := _not_green(newest)):
        remedy = "mend it, or write it down as a known finding; with --even-red it is kept as it is"
        raise UsageError(f"this would be no baseline: {why}. What was not held is not missed later: {remedy}")
    found = [by_task(report) for report in used]
    groups: dict[tuple[str, str, tuple[int, ...]], list[str]] = {}
    for key in dict.fromkeys(key for rows in found for key in rows):
        same = tuple(id(rows[key]) for rows in found if key in rows)
        groups.setdefault((key[0], key[1], same), []).append(key[2])
    rows = [_row(suite, scenario, sorted(tasks), found) for (suite, scenario, _), tasks in groups.items()]
    app = newest.app
    return (
        Baseline(
            runs=len(used),
            app={key: app[key] for key in ("name", "module") if key in app},
            environment={key: value for key, value in sorted(newest.environment.items()) if key not in UNTOLD},
            broker=newest.broker,
            selection=newest.selection,
            settings=dict(sorted(app.get("settings", {}).items())),
            origins={key: _origin(origin) for key, origin in sorted(app.get("origins", {}).items())},
            tasks={name: _options(options) for name, options in sorted(app.get("tasks", {}).items())},
            contracts=_contracts(newest.contracts),
            canary=newest.canary,
            claims=sorted(map(_unplaced, unrun(newest)), key=lambda claim: claim.setting),
            rows=sorted(rows, key=lambda row: (row.scenario, row.tasks)),
        ),
        notes,
    )


def render(baseline: Baseline) -> str:
    """As it is kept in a repository: stable, a row a line."""
    parts = []
    for key, value in msgspec.to_builtins(baseline).items():
        if key in BY_LINE and value:
            opening, closing = "{}" if isinstance(value, dict) else "[]"
            entries = [f"{_json(name)}: {_json(each)}" for name, each in value.items()] if opening == "{" else None
            lines = ",\n  ".join(entries or [_json(each) for each in value])
            parts.append(f"{_json(key)}: {opening}\n  {lines}\n {closing}")
        else:
            parts.append(f"{_json(key)}: {_json(value)}")
    return "{\n " + ",\n ".join(parts) + "\n}\n"


def read(path: Path) -> list[Report]:
    """The runs that it stands for, as reports. Raises UsageError: damaged, not a baseline, another schema."""
    try:
        return parse(path.read_bytes(), str(path))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None


def parse(text: bytes | str, source: str = NAME) -> list[Report]:
    """The same of its text."""
    try:
        data = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{source} is damaged: {error}") from None
    number = data.get(MARK) if isinstance(data, dict) else None
    if not isinstance(number, int) or isinstance(number, bool):
        raise UsageError(f"{source} is not a baseline of Assay: make one by assay baseline RUN")
    if number != SCHEMA:
        age, remedy = (
            ("an earlier", "make it anew by assay baseline RUN")
            if number < SCHEMA
            else ("a later", "use the version of Assay that wrote it, or a later one")
        )
        raise UsageError(f"{source} is of {age} format, {number}, and this version reads {SCHEMA}: {remedy}")
    try:
        found = msgspec.convert(data, Baseline)
    except msgspec.ValidationError as error:
        raise UsageError(f"{source} is damaged: {error}") from None
    if found.runs < 1 or not found.rows:
        raise UsageError(f"{source} is damaged: it has no {'runs' if found.runs < 1 else 'rows'}")
    return [_report(found, number) for number in range(found.runs)]


def _not_green(report: Report) -> str:
    """What a baseline of it would take for what is to be; known findings are meant to be there."""
    open_ = [row for row in report.results if row.verdict is not Verdict.HELD and not row.known]
    if open_:
        names = list(dict.fromkeys(f"{row.suite}.{row.scenario} is {row.verdict}" for row in open_))
        return f"{counted(len(open_), 'row')} of the newest run did not hold ({listed(names, SHOWN)})"
    if report.canary not in ("", CANARY_LOST):
        return f"the run's canary was not seen to be lost, so none of its green counts ({report.canary})"
    return ""


def _row(suite: str, scenario: str, tasks: list[str], found: Sequence[dict[Key, Result]]) -> Row:
    seen = [rows[suite, scenario, tasks[0]] for rows in found if (suite, scenario, tasks[0]) in rows]
    last = seen[-1]
    return Row(
        scenario=f"{suite}.{scenario}",
        tasks=tasks,
        fault=last.fault,
        verdict=_one([row.verdict for row in seen]),
        outcome=_one([row.outcome for row in seen]),
        recovery_s=_one([_rounded(row.recovery_s) for row in seen]),
        claim=last.claim,
        promise=last.promise,
        known=last.known,
    )


def _one(values: list[Any]) -> Any:
    """The value of all of them, where they are the same."""
    return values[0] if len(set(values)) == 1 else values


def _rounded(recovery_s: float | None) -> int | None:
    return None if recovery_s is None else max(1, math.ceil(recovery_s / STEP_S)) * STEP_S


def _contracts(found: Sequence[Contract]) -> list[Contract]:
    """Without what is inferred: that changes with the settings."""
    kept = [
        msgspec.structs.replace(each, parts=[_placed(part) for part in each.parts if part.demanded]) for each in found
    ]
    return sorted((each for each in kept if each.parts), key=lambda each: each.task)


def _placed(part: Part) -> Part:
    return msgspec.structs.replace(part, place="" if os.path.isabs(part.place) else part.place)


def _unplaced(claim: Claim) -> Claim:
    return msgspec.structs.replace(claim, place="") if os.path.isabs(claim.place) else claim


def _origin(origin: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in origin.items() if value and not os.path.isabs(value)}


def _options(options: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in options.items() if key not in NO_OPTIONS and not means_nothing(value)}
    where = str(options.get("place", ""))
    return kept | ({"place": where} if where and not os.path.isabs(where) else {})


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=0).decode()


def _report(baseline: Baseline, number: int) -> Report:
    """The run of this number, the oldest is 0. It has no times but recovery, and no reasons."""
    report = Report(
        verdict=Verdict.HELD,
        exit_code=0,
        app={
            **baseline.app,
            "settings": baseline.settings,
            "origins": baseline.origins,
            "tasks": baseline.tasks,
        },
        broker=baseline.broker,
        environment=baseline.environment,
        selection=baseline.selection,
        contracts=baseline.contracts,
        claims=baseline.claims,
        canary=baseline.canary,
        started_at=f"{number:04d}",
    )
    results = [_result(row, number - baseline.runs, report) for row in baseline.rows]
    report.results = [row for row in results if row is not None]
    report.verdict = Verdict.worst(row.verdict for row in report.results if not row.known)
    report.exit_code = exit_code(report.verdict)
    return report


def _result(row: Row, run: int, report: Report) -> Result | None:
    """None where the row was not run in it; `run` is counted from the newest, -1."""
    lists = [each for each in (row.verdict, row.outcome, row.recovery_s) if isinstance(each, list)]
    if any(-run > len(each) for each in lists):
        return None
    suite, _, scenario = row.scenario.partition(".")
    verdict: Verdict = _of(row.verdict, run)
    options = report.app["tasks"].get(row.tasks[0], {})
    return Result(
        suite=suite,
        scenario=scenario,
        task=row.tasks[0],
        members=row.tasks,
        fault=row.fault,
        verdict=verdict,
        outcome=_of(row.outcome, run),
        recovery_s=_of(row.recovery_s, run),
        claim=row.claim,
        promise=row.promise,
        known=row.known if verdict is Verdict.VIOLATED else "",
        place=place(report, key_of(row.claim, report)) or str(options.get("place", "")),
    )


def _of(value: Any, run: int) -> Any:
    return value[run] if isinstance(value, list) else value
