"""From a report and its histories to what the page shows. Pure."""

import msgspec

from assay.counted import counted
from assay.gating.told import Gated
from assay.page import recovering, tables
from assay.page.gather import Found
from assay.page.packing import Packed
from assay.page.shown import Cause, Cell, Changes, Fact, Line, Page, Table
from assay.report import Report
from assay.reports import causes
from assay.reports.commands import replay
from assay.reports.contracts import TITLE as CONTRACTS
from assay.reports.contracts import contracts
from assay.reports.gate import WORDS as GATE_WORDS
from assay.reports.matrix import SYMBOLS
from assay.reports.mutants import tally as mutants_tally
from assay.reports.words import (
    EXIT_WORDS,
    GRACE_PERIODS,
    claims_held,
    evidence,
    grace_periods,
    meanings,
    plain,
    row_task,
    scenario_name,
    stack,
    tally,
)
from assay.verdict import Verdict


def page(
    found: Found,
    *,
    program: str = "assay",
    changes: Changes | None = None,
    base: Found | None = None,
    gated: Gated | None = None,
) -> Page:
    """The page without its timelines, which `filled` adds; cells open them as if there was room for all.

    `changes`: of a comparison with another run. `base`: that run, for its recovery times. `gated`: of a gate.
    """
    report = found.report
    opens = {rows[0].folder: number for number, rows in enumerate(found.rows)}
    said, lies = tables.ledgers(found.readings)
    app = plain(str(report.app.get("name") or report.app.get("module") or "the app"))
    told = causes.causes(report)
    tasks = list(dict.fromkeys(row.task for row in report.results if row.task != "*"))
    before = recovering.times_by_fault(base.readings) if base else {}
    return Page(
        title=f"{app}: {report.verdict}",
        app=app,
        verdict=str(report.verdict),
        symbol=SYMBOLS[report.verdict],
        tally=tally(report),
        strip=_strip(report),
        commands=[plain(command) for command in replay(report, found.folder, program)],
        exit_said=f"exit code {report.exit_code}: {EXIT_WORDS.get(report.exit_code, '')}",
        gate=tables.gate(gated) if gated else None,
        gate_said=f"Exit code {gated.exit_code}: {GATE_WORDS[gated.exit_code]}" if gated else "",
        changes=changes,
        causes_title=causes.heading(report, told) if told else "",
        causes=[
            Cause(plain(each.setting), plain(each.place), [Fact(*fact) for fact in causes.facts(each, report)])
            for each in told
        ],
        unknown=_unknown(report),
        known=_known(report),
        members=_members(report),
        matrix=tables.matrix(report.results, opens),
        meanings=meanings(report),
        ledgers_said=said if found.readings else "",
        ledgers=lies if lies.lines else None,
        points=tables.points(found.readings, found.rows, found.named, tasks) if found.readings else None,
        faults=tables.faults(report) if report.results else None,
        reached_said=_reached(report),
        spreads=recovering.spreads(recovering.times_by_fault(found.readings), before),
        base=str(base.folder) if base else "",
        mutants_said=mutants_tally(found.mutation.outcomes) if found.mutation else "",
        mutants=tables.mutants(found.mutation) if found.mutation else None,
        lists=_lists(report),
        artefacts=found.artefacts,
        folder=str(found.folder),
        left_out=_left_out(found),
    )


def filled(page: Page, found: Found, packed: Packed) -> Page:
    """With these timelines. A cell of one that has no room opens none."""
    return msgspec.structs.replace(
        page,
        matrix=[_opening(table, packed.scenes) for table in page.matrix],
        left_out=[*_no_room(found, packed), *page.left_out],
        scenes=packed.scenes,
        data=packed.data,
    )


def _opening(table: Table, scenes: int) -> Table:
    def cell(it: Cell) -> Cell:
        return it if it.scene < scenes else msgspec.structs.replace(it, scene=-1)

    return msgspec.structs.replace(table, lines=[Line(line.name, [*map(cell, line.cells)]) for line in table.lines])


def _strip(report: Report) -> list[Fact]:
    facts = [
        ("evidence", evidence(report)),
        ("claims", claims_held(report)),
        ("canary", report.canary),
        ("ran on", f"{stack(report)}, {report.duration_s:.0f} s"),
        ("started", report.started_at.replace("T", " ").replace("+00:00", " UTC")),
        ("command", report.command),
    ]
    return [Fact(name, plain(value)) for name, value in facts if value]


def _unknown(report: Report) -> list[Fact]:
    groups: dict[str, list[str]] = {}
    for row in report.results:
        if row.verdict is Verdict.UNKNOWN:
            groups.setdefault(plain(row.reason) or "no reason was recorded", []).append(
                f"{scenario_name(row)} of {row_task(row)}"
            )
    return [Fact(reason, plain(", ".join(dict.fromkeys(rows)))) for reason, rows in groups.items()]


def _known(report: Report) -> list[Fact]:
    claims = [Fact(plain(claim.setting), plain(claim.known)) for claim in report.claims if claim.known]
    rows = [row for row in report.results if row.known]
    return claims + [Fact(plain(f"{scenario_name(row)} of {row_task(row)}"), plain(row.known)) for row in rows]


def _members(report: Report) -> list[Fact]:
    """Tasks that others of their profile were run for."""
    members = {row.task: row.members for row in report.results if len(row.members) > 1}
    others = {task: ", ".join(name for name in names if name != task) for task, names in members.items()}
    return [Fact(plain(task), plain(names)) for task, names in others.items()]


def _reached(report: Report) -> str:
    scenarios = {scenario_name(row) for row in report.results}
    tasks = {row.task for row in report.results if row.task != "*"}
    members = {name for row in report.results for name in row.members if name != "*"} | tasks
    on = counted(len(tasks), "task")
    ran = f"{counted(len(report.results), 'row')}: {counted(len(scenarios), 'scenario')} on {on}"
    stands = f", which stand for {len(members)} of one profile" if len(members) > len(tasks) else ""
    known = report.app.get("tasks") or {}
    of = f" The app has {counted(len(known), 'task')}." if known else ""
    landed = sum(row.landed for row in report.results)
    return f"{ran}{stands}; {landed} of {sum(row.injected for row in report.results)} injected faults landed.{of}"


def _lists(report: Report) -> list[tuple[str, list[str]]]:
    found = [
        (CONTRACTS, contracts(report)),
        (GRACE_PERIODS, grace_periods(report)),
        ("Changed for the run", report.redirected),
        ("Scaled for the run (times are in production units)", report.scaled),
        ("Known findings that are of no use any more", report.known_not_seen),
    ]
    return [(title, [plain(line) for line in lines]) for title, lines in found if lines]


def _left_out(found: Found) -> list[str]:
    """What a reader might look for and would not find, however large the page was."""
    told = []
    if plain_ones := sum(reading.world.forgotten.total() for reading in found.readings):
        told.append(f"{plain_ones:,} invocations that went plainly (published, delivered, done once) are only counted")
    if found.missing:
        told.append(f"events of {counted(found.missing, 'row')} are not in the run folder, so no timeline shows them")
    return told


def _no_room(found: Found, packed: Packed) -> list[str]:
    told = []
    total = sum(reading.total for reading in found.readings)
    if packed.events < total:
        told.append(
            f"{total - packed.events:,} of {total:,} events are not in this page, which would be too large: those of "
            "invocations that went well are left out first. The run folder has all of them; `assay show` tells any life"
        )
    if without := len(found.readings) - packed.scenes:
        told.append(f"{counted(without, 'row')} of {len(found.readings)} have no timeline here, none of them worse")
    return told
