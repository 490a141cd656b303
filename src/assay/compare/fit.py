"""Whether two reports can be compared at all, and which of several are runs of the same thing."""

from collections.abc import Mapping, Sequence

import msgspec

from assay.compare.differences import NO_VERSIONS, environment, settings
from assay.compare.rows import Key, by_task
from assay.counted import counted, listed
from assay.report import Report
from assay.selection import fits
from assay.verdict import CHAOS

Selected = Mapping[str, Sequence[str]]  # as Report.selection
SHOWN = 4  # names of what is missing
ASPECTS = ("suites", "scenarios", "tasks")  # of a selection


def why_not(base: Report, current: Report) -> str:
    """Why nothing can be said of them side by side, with the remedy; "" where it can."""
    if another := _another_app(base, current):
        return another
    one, other = base.environment.get("bodies"), current.environment.get("bodies")
    if one and other and one != other:
        remedy = "run the current one as the base, with or without --live"
        return f"the base ran {one} bodies and the current run {other} ones, which say different things: {remedy}"
    if _is_chaos(base) is not _is_chaos(current):
        kinds = {True: "a chaos run", False: "a run of suites"}
        return (
            f"the base is {kinds[_is_chaos(base)]} and the current one {kinds[_is_chaos(current)]}: compare like kinds"
        )
    if not base.results or not current.results:
        return f"the {'base' if not base.results else 'current run'} has no rows: nothing was run"
    missing = [key for key in by_task(base) if not _chosen(key, current.selection)]
    if not missing:
        return ""
    names = list(dict.fromkeys(_named(key, current.selection) for key in missing))
    return (
        f"the current run was told to leave out {counted(len(missing), 'row')} of the base: "
        f"{listed(names, SHOWN)}. Run it with the choice of suites, scenarios and tasks that the base had"
        f"{_typed(base)}, or make a base of this choice"
    )


def alike(bases: Sequence[Report]) -> tuple[list[Report], list[str]]:
    """Those of the same settings on the same stack as the newest, oldest first, and why others are not among them."""
    ordered = sorted(bases, key=lambda report: report.started_at)
    newest, left, kept = ordered[-1], [], []
    for report in ordered:
        differs = [str(each) for each in settings(report, newest)]
        differs += [str(each) for each in environment(report, newest) if each.name not in NO_VERSIONS]
        why = why_not(report, newest) or listed(differs, 2)
        if why:
            left.append(f"the run of {report.started_at} is not used, since the newest is otherwise: {why}")
        else:
            kept.append(report)
    return kept, left


def only(report: Report, selection: Selected) -> Report:
    """What a run with this selection could have run of it."""
    rows = []
    for row in report.results:
        names = {*row.members, row.task}
        chosen = sorted(name for name in names if _chosen((row.suite, row.scenario, name), selection))
        if chosen:
            task = row.task if row.task in chosen else chosen[0]
            rows.append(msgspec.structs.replace(row, task=task, members=chosen))
    return msgspec.structs.replace(report, results=rows)


def beyond(key: Key, base: Report) -> bool:
    """Whether the base was told not to run it."""
    return not _chosen(key, base.selection)


def _another_app(base: Report, current: Report) -> str:
    one, other = _app(base), _app(current)
    common = {task for _, _, task in by_task(base)} & {*current.app.get("tasks", {}), *_tasks(current)}
    if common and (one == other or base.app.get("module") == current.app.get("module")):
        return ""
    if one == other and base.results and current.results:
        return f"the app {one} has none of the tasks that the base is about ({listed(sorted(_tasks(base)), SHOWN)})"
    return "" if one == other else f"the base is about another app: {one}, and the current run about {other}"


def _app(report: Report) -> str:
    return str(report.app.get("name") or report.app.get("module") or "")


def _tasks(report: Report) -> set[str]:
    return {task for _, _, task in by_task(report)}


def _is_chaos(report: Report) -> bool:
    return any(row.suite == CHAOS for row in report.results)


def _chosen(key: Key, chosen: Selected, aspects: Sequence[str] = ASPECTS) -> bool:
    """Whether a run with this selection would have run it, where it applies."""
    suite, scenario, task = key
    names = {"suites": suite, "scenarios": f"{suite}.{scenario}", "tasks": task}
    return all(not chosen.get(what) or any(fits(names[what], pattern) for pattern in chosen[what]) for what in aspects)


def _named(key: Key, chosen: Selected) -> str:
    """By what it is left out for: its suite, its task, or the scenario itself."""
    suite, scenario, task = key
    if not _chosen(key, chosen, ["suites"]):
        return f"suite {suite}"
    return f"{suite}.{scenario}" if _chosen(key, chosen, ["tasks"]) else f"task {task}"


def _typed(report: Report) -> str:
    return f" ({report.command})" if report.command else ""
