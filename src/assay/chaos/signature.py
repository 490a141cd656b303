"""What makes two red runs the same one: the violated rows, by fault, task and outcome."""

from collections.abc import Sequence

from assay.verdict import Outcome, Result, Verdict

Mark = tuple[str, str, str]


def mark(result: Result) -> Mark:
    return result.scenario, result.task, str(result.outcome or "")


def signature(results: Sequence[Result]) -> set[Mark]:
    """Empty for a run that is not red."""
    return {mark(result) for result in results if result.verdict is Verdict.VIOLATED and not result.known}


def worst(results: Sequence[Result]) -> Result | None:
    """The violated row that is worst, and of those the one that names a fault."""
    red = [result for result in results if result.verdict is Verdict.VIOLATED and not result.known]
    return max(red, key=lambda each: ((each.outcome or Outcome.OK).rank, each.landed > 0), default=None)


def told(marks: set[Mark]) -> str:
    return ", ".join(f"{outcome or 'violated'} chaos.{scenario} {task}" for scenario, task, outcome in sorted(marks))
