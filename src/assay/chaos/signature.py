"""What makes two red runs the same one: the violated rows, by fault, task and outcome."""

from collections.abc import Sequence

from assay.errors import UsageError
from assay.verdict import CHAOS, Outcome, Result, Verdict

Mark = tuple[str, str, str]


def mark(result: Result) -> Mark:
    return result.scenario, result.task, str(result.outcome or "")


def signature(results: Sequence[Result]) -> set[Mark]:
    """Empty for a run that is not red."""
    return {mark(result) for result in _red(results)}


def worst(results: Sequence[Result]) -> Result | None:
    """The violated row that is worst, and of those the one that names a fault."""
    return max(_red(results), key=lambda each: ((each.outcome or Outcome.OK).rank, each.landed > 0), default=None)


def named(results: Sequence[Result], row: str, task: str = "") -> Result:
    """The violated row of this name (`chaos.sigkill_child`, or without `chaos.`), of this task where one is given.

    Raises UsageError where there is none, and where there are several.
    """
    red = _red(results)
    rows = [result for result in red if result.scenario == row.removeprefix(f"{CHAOS}.") and task in ("", result.task)]
    if len(rows) == 1:
        return rows[0]
    if rows:
        raise UsageError(
            f"{row} is red for {', '.join(each.task for each in rows)}: say with --task which one is meant"
        )
    wanted, there_are = f"{row} {task}".strip(), ", ".join(f"{CHAOS}.{each.scenario} {each.task}" for each in red)
    raise UsageError(f"no row {wanted} is red in this run; red are {there_are}")


def told(marks: set[Mark]) -> str:
    return ", ".join(f"{outcome or 'violated'} chaos.{scenario} {task}" for scenario, task, outcome in sorted(marks))


def _red(results: Sequence[Result]) -> list[Result]:
    return [result for result in results if result.verdict is Verdict.VIOLATED and not result.known]
