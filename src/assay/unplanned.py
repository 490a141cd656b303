"""What was asked for and gave no row, in words: a run must not be taken for an answer to what it did not try."""

from collections.abc import Sequence
from dataclasses import replace

from assay.scaling import Target
from assay.scenario import EVERY_POOL, Scenario
from assay.selection import Selection, fits

#: of a suite about something that an app may well be without
WANTING = {
    "recycling": "neither worker_max_tasks_per_child nor worker_max_memory_per_child nor worker_pool_restarts is set",
    "retries": "no selected task retries",
    "time_limits": "no selected task has a time limit",
}
MEANS_NOTHING = "it means nothing for the selected tasks with these settings"


def unplanned(
    only: Selection, known: Sequence[Scenario], targets: Sequence[Target], rows: Sequence[tuple[str, list[str]]]
) -> list[str]:
    """A sentence for each pattern that gave none of the `rows`: (a scenario's full name, its tasks).

    And one for suites that nobody named and that only the pool rules out.
    """
    tried, tasks = {name for name, _ in rows}, {task for _, members in rows for task in members}
    told = [] if only.suites or only.scenarios else _without_pool(known, targets, tried)
    for pattern in only.suites:
        if not any(fits(name.partition(".")[0], pattern) for name in tried):
            theirs = [each for each in known if fits(each.suite, pattern)]
            told.append(f"suite {pattern}: nothing applies: {_reason(theirs, known, targets)}")
    for pattern in only.scenarios:
        if not any(fits(name, pattern) for name in tried):
            theirs = [each for each in known if fits(each.full_name, pattern)]
            told.append(f"scenario {pattern}: does not apply: {_reason(theirs, known, targets)}")
    for pattern in only.tasks if rows else ():
        if not any(fits(task, pattern) for task in tasks):
            told.append(f"task {pattern}: no selected scenario applies to it")
    return told


def _without_pool(known: Sequence[Scenario], targets: Sequence[Target], tried: set[str]) -> list[str]:
    """One sentence for all suites of which nothing is tried here and something would be in another pool."""
    there = {name.partition(".")[0] for name in tried}
    elsewhere = [replace(target, pool=pool) for target in targets for pool in EVERY_POOL if pool != target.pool]
    gone = {each.suite: None for each in known if each.suite not in there and any(map(each.applies, elsewhere))}
    if not gone:
        return []
    many = len(gone) > 1
    return [
        f"suite{'s' * many} {' and '.join(gone)} {'are' if many else 'is'} left out: not with pool {targets[0].pool}"
    ]


def _reason(scenarios: Sequence[Scenario], known: Sequence[Scenario], targets: Sequence[Target]) -> str:
    """What the app is without; where it is without nothing, what the run rules out."""
    barred = [(each.suite, each.barred(target)) for each in scenarios for target in targets]
    lacking = [WANTING[suite] for suite in dict.fromkeys(suite for suite, _ in barred) if _lacks(suite, targets)]
    said = lacking or [why for _, why in barred if why] + [MEANS_NOTHING] * any(not why for _, why in barred)
    return "; ".join(dict.fromkeys(said)) or "there is no task to run it on"


def _lacks(suite: str, targets: Sequence[Target]) -> bool:
    """Whether the app has nothing that the suite is about."""
    match suite:
        case "recycling":
            each = targets[0].subject
            return not (each.max_tasks_per_child or each.max_memory_per_child or each.pool_restarts)
        case "retries":
            return not any(target.task.may_retry for target in targets)
        case "time_limits":
            return not any(target.task.time_limit or target.task.soft_time_limit for target in targets)
    return False
