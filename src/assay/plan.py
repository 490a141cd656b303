"""What a run will do: which scenario on which task, and which other tasks it counts for."""

from collections.abc import Sequence

import msgspec

from assay.errors import UsageError
from assay.scaling import Target
from assay.scenario import Scenario, scenarios
from assay.selection import Selection, nearest
from assay.settings import Settings
from assay.subject import Subject, Task
from assay.unplanned import unplanned

CASES = "cases"


class Planned(msgspec.Struct, kw_only=True):
    """A row before it is run, as kept in the run folder. `folder` is relative to it."""

    suite: str
    scenario: str
    task: str
    members: list[str]
    fault: str
    folder: str


class Row(msgspec.Struct, frozen=True):
    """The same for the run itself."""

    scenario: Scenario
    target: Target
    planned: Planned


def rows(
    settings: Settings,
    subject: Subject,
    pool: str,
    members: dict[str, list[str]],
    only: Selection,
    *,
    obstacle: str = "",
) -> list[Row]:
    """Each selected scenario for each group that it applies to. Raises UsageError where there is none.

    `obstacle` is why connections cannot be broken here, if they cannot.
    """
    known = scenarios()
    wanted = [known[name] for name in only.pick_scenarios(known)]
    found: list[Row] = []
    for target in _targets(settings, subject, pool, members, obstacle):
        name = target.task.name
        for scenario in wanted:
            if scenario.applies(target):
                found.append(Row(scenario, target, _planned(len(found), scenario, name, members[name])))
    if not found:
        some = subject.tasks[0].name
        live = f', live: say how to call it, as in [live."{some}"] args = []' if settings.bodies == "live" else ""
        why = f" ({obstacle})" if obstacle else ""
        left = "".join(f"; {each}" for each in left_out(settings, subject, pool, members, only, [], obstacle=obstacle))
        raise UsageError(f"no selected scenario applies to a selected task of this app with this pool{live}{why}{left}")
    return found


def left_out(
    settings: Settings,
    subject: Subject,
    pool: str,
    members: dict[str, list[str]],
    only: Selection,
    plan: Sequence[Row],
    *,
    obstacle: str = "",
) -> list[str]:
    """A sentence for each suite, scenario and task that was asked for and is in no row of the plan."""
    targets = _targets(settings, subject, pool, members, obstacle)
    tried = [(row.scenario.full_name, row.planned.members) for row in plan]
    return unplanned(only, list(scenarios().values()), targets, tried)


def _targets(
    settings: Settings, subject: Subject, pool: str, members: dict[str, list[str]], obstacle: str
) -> list[Target]:
    """Each group that can be called, by the task that is run for it."""
    skipped = uncallable(settings, subject, list(members))
    return [
        Target(
            subject,
            subject.task(name),
            pool,
            settings.bodies,
            bool((call := settings.live.get(name)) and call.slow),
            severable=not obstacle,
            broker=settings.broker,
            sigterm_quits=settings.sigterm_quits,
        )
        for name in members
        if name not in skipped
    ]


def members(settings: Settings, subject: Subject, only: Selection) -> dict[str, list[str]]:
    """{task that is run: the tasks that it stands for}, the most important first. A real body stands for itself."""
    names = only.pick_tasks([task.name for task in subject.tasks])
    alone = settings.each_task or settings.bodies == "live"
    groups: dict[str, list[Task]] = {}
    for task in subject.tasks:
        if task.name in names:
            groups.setdefault(task.name if alone else task.profile(), []).append(task)
    in_order = sorted(groups.values(), key=lambda group: -(group[0].contract.importance or 0))
    return {group[0].name: [task.name for task in group] for group in in_order}


def uncallable(settings: Settings, subject: Subject, names: Sequence[str]) -> list[str]:
    """Tasks whose real bodies nobody said how to call. Raises UsageError for a [live] entry that is of no task."""
    known = [task.name for task in subject.tasks]
    for name in settings.live:
        if name not in known:
            raise UsageError(f"live: {settings.app} has no task {name}{nearest(name, known)}")
    return [name for name in names if settings.bodies == "live" and name not in settings.live]


def _planned(number: int, scenario: Scenario, task: str, members: list[str]) -> Planned:
    return Planned(
        suite=scenario.suite,
        scenario=scenario.name,
        task=task,
        members=members,
        fault=scenario.fault,
        folder=f"{CASES}/{number:03d}-{scenario.full_name}-{task.rpartition('.')[2]}",
    )
