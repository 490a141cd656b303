"""The tables of the page: outcomes, ledgers, crash points, faults, mutants. Pure."""

from collections import Counter
from collections.abc import Sequence

from assay.checkers.delivery import outcome
from assay.checkers.ledgers import lie
from assay.counted import counted
from assay.event import Kind, Point
from assay.gating.told import Gated
from assay.life import Life
from assay.mutate.mutant import Mutation, Status
from assay.page.draw import broker_says, executed, point_of
from assay.page.reading import Named, Reading, real
from assay.page.shown import Cell, Line, Table
from assay.report import Report
from assay.reports import causes
from assay.reports.matrix import SYMBOLS
from assay.reports.words import cell, plain
from assay.verdict import Outcome, Result, Verdict

DETAILS = 3
LIES_SHOWN = 100
MUTANTS_SHOWN = 300
WELL = (Outcome.OK, Outcome.RECOVERED, Outcome.REVOKED)
SIGNS = {"violated": "✗", "unknown": "?", "held": "✓", "allowed": "–", "plain": "–"}


def gate(gated: Gated) -> Table:
    """What a gate demands, a line each."""
    lines = [
        Line(
            plain(part.name),
            [
                Cell(text=f"{SYMBOLS[part.verdict]} {part.verdict}", tone=str(part.verdict)),
                Cell(text=plain("; ".join([part.why, *part.details[:DETAILS]]))),
            ],
        )
        for part in gated.parts
    ]
    return Table(title="What the gate demands", columns=["verdict", "why"], lines=lines)


def matrix(results: Sequence[Result], scenes: dict[str, int]) -> list[Table]:
    """A table for each suite, scenarios down, tasks across. `scenes`: folder -> the scene that a cell opens."""
    suites: dict[str, dict[tuple[str, str], dict[str, Result]]] = {}
    for row in sorted(results, key=lambda row: row.verdict.rank):  # the worst of a cell is what it says
        suites.setdefault(row.suite, {}).setdefault((row.scenario, row.fault), {})[row.task] = row
    tables = []
    for suite in dict.fromkeys(row.suite for row in results):
        rows = suites[suite]
        order = dict.fromkeys((row.scenario, row.fault) for row in results if row.suite == suite)
        tasks = list(dict.fromkeys(row.task for row in results if row.suite == suite))
        named = Counter(scenario for scenario, _ in order)
        lines = [
            Line(
                plain(scenario if named[scenario] == 1 else f"{scenario} {fault}"),
                [_outcome(rows[scenario, fault].get(task), scenes) for task in tasks],
            )
            for scenario, fault in order
        ]
        columns = [_all(task) for task in tasks]
        tables.append(Table(title=plain(suite), columns=columns, lines=lines, where="in report.json of the run folder"))
    return tables


def _all(task: str) -> str:
    return "all tasks" if task == "*" else plain(task)


def _outcome(row: Result | None, scenes: dict[str, int]) -> Cell:
    if row is None:
        return Cell(text="–", tone="none", title="not run")
    tone = "known" if row.known else str(row.verdict)
    symbol = "!" if row.known else SYMBOLS[row.verdict]
    said = f"{row.verdict}: {row.reason}" if row.reason else str(row.verdict)
    return Cell(text=f"{symbol} {cell(row)}", tone=tone, title=plain(said), scene=scenes.get(row.folder, -1))


def ledgers(readings: Sequence[Reading]) -> tuple[str, Table]:
    """What the three ledgers say where they disagree, and how many were held against each other."""
    lines, total, unread = [], 0, 0
    for number, reading in enumerate(readings):
        mine = list(filter(real, reading.lives.values()))
        total += len(mine) + reading.world.forgotten.total()
        for life in mine:
            unread += life.result is None and life.publish is Kind.PUBLISHED
            if said := lie(life):
                lines.append(Line(f"{plain(life.task)}", _ledger(life, said, reading, number)))
    columns = ["invocation", "broker", "execution", "result backend", "which one lies"]
    agree = f"{counted(total - len(lines) - unread, 'invocation')} of {total}: broker, execution and result agree"
    told = f"{agree}. {len(lines)} where they do not" + f"; {unread} whose result was not read" * bool(unread)
    shown = lines[:LIES_SHOWN]
    return told, Table(title="Ledgers that disagree", columns=columns, lines=shown, left_out=len(lines) - len(shown))


def _ledger(life: Life, said: str, reading: Reading, scene: int) -> list[Cell]:
    return [
        Cell(text=life.id[:8], life=life.id, scene=scene),
        Cell(text=broker_says(life)),
        Cell(text=executed(life, reading.world)),
        Cell(text=plain(str(life.result))),
        Cell(text=f"✗ {plain(said)}", tone="violated"),
    ]


def points(readings: Sequence[Reading], rows: Sequence[Sequence[Result]], named: Named, tasks: Sequence[str]) -> Table:
    """Task by crash point: what became of those that a fault found there. Grey is where no fault came."""
    struck: dict[tuple[str, str], Counter[tuple[Outcome, bool]]] = {}
    held: Counter[tuple[str, str]] = Counter()
    for reading, some in zip(readings, rows, strict=True):
        for fault in reading.world.landed:
            life = reading.lives.get(fault.invocation)
            if life is None or not (point := point_of(life, fault)):
                continue
            if real(life):
                what = outcome(life, reading.world), named.get(life.id) is Verdict.VIOLATED
            else:
                what = some[0].outcome or Outcome.OK, some[0].verdict is Verdict.VIOLATED and not some[0].known
            struck.setdefault((life.task or some[0].task, point), Counter())[what] += 1
        for life in filter(real, reading.lives.values()):
            for point in {str(each.detail.get("point")) for each in life.holds if each.kind is Kind.HELD}:
                held[life.task, point] += 1
    everybody = list(dict.fromkeys([*tasks, *(task for task, _ in struck)]))
    lines = [Line(plain(task), [_point(task, str(point), struck, held) for point in Point]) for task in everybody]
    return Table(title="Task by crash point", columns=[point.replace("_", " ") for point in Point], lines=lines)


def _point(
    task: str,
    point: str,
    struck: dict[tuple[str, str], Counter[tuple[Outcome, bool]]],
    held: Counter[tuple[str, str]],
) -> Cell:
    counts = struck.get((task, point))
    if not counts:
        if held[task, point]:
            said = f"{counted(held[task, point], 'attempt')} came here, and no fault landed"
            return Cell(text=f"○ passed\n{held[task, point]}", title=said, task=task, point=point)
        return Cell(text="not\nreached", tone="none", title="no fault landed here")
    broken = sum(number for (_, is_broken), number in counts.items() if is_broken)
    worst, _ = max(counts, key=lambda each: (each[1], each[0].rank))
    alike = sum(number for (what, _), number in counts.items() if what is worst)
    tone = "violated" if broken else "held" if worst in WELL else "allowed"
    word = "violated" if broken and worst in WELL else str(worst)
    outcomes = Counter(str(what) for what, _ in counts.elements())
    said = ", ".join(f"{number} {what}" for what, number in outcomes.most_common())
    text = f"{SIGNS[tone]} {word}\n{alike}" + f"/{counts.total()}" * (alike != counts.total())
    title = f"{counted(counts.total(), 'landed fault')}: {said}" + f"; {broken} violated" * bool(broken)
    title += "; nothing promises otherwise" * (tone == "allowed")
    return Cell(text=text, tone=tone, title=title, task=task, point=point)


def faults(report: Report) -> Table:
    """By fault: how often it was injected, how often it is proved to have landed, on what, and the worst verdict."""
    groups: dict[str, list[Result]] = {}
    for row in report.results:
        groups.setdefault(row.fault, []).append(row)
    lines = []
    for fault, rows in sorted(groups.items(), key=lambda each: -sum(row.landed for row in each[1])):
        injected, landed = sum(row.injected for row in rows), sum(row.landed for row in rows)
        verdict = Verdict.worst(row.verdict for row in rows)
        known = all(row.known for row in rows if row.verdict is verdict)
        word = f"{SYMBOLS[verdict]} {verdict}" if not known or verdict is Verdict.HELD else "! known"
        lines.append(
            Line(
                plain(fault),
                [
                    Cell(text=word, tone="known" if known and verdict is Verdict.VIOLATED else str(verdict)),
                    Cell(text=str(injected)),
                    Cell(text=str(landed), tone="plain" if landed >= injected else "unknown"),
                    Cell(text=str(len(rows))),
                    Cell(text=plain(causes.tasks(rows, report))),
                ],
            )
        )
    return Table(title="Faults", columns=["worst", "injected", "landed", "rows", "tasks"], lines=lines)


TONES = {
    Status.SURVIVED: "violated",
    Status.NO_COVERAGE: "unknown",
    Status.UNKNOWN: "unknown",
    Status.REFUSED: "held",
    Status.KILLED: "held",
}


def mutants(mutation: Mutation) -> Table:
    """Worst first: what was changed, where, what became of it, by which scenario, and why."""
    order = list(Status)
    found = sorted(mutation.outcomes, key=lambda each: order.index(each.status))
    lines = []
    for each in found[:MUTANTS_SHOWN]:
        tone = TONES.get(each.status, "plain")
        lines.append(
            Line(
                plain(each.mutant.change),
                [
                    Cell(text=f"{SIGNS[tone]} {each.status}", tone=tone),
                    Cell(text=plain(each.mutant.place)),
                    Cell(text=plain(each.killer)),
                    Cell(text=plain(each.said)[:300]),
                ],
            )
        )
    left_out = max(0, len(found) - MUTANTS_SHOWN)
    return Table(title="Mutants", columns=["status", "place", "scenario", "why"], lines=lines, left_out=left_out)
