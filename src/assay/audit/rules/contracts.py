"""What a team requires of its tasks, against what the settings can keep."""

from collections.abc import Iterator

from assay.audit.finding import Kind
from assay.audit.rule import Found, View, rule
from assay.contract.breaches import breaches


@rule(Kind.BROKEN)
def not_of_its_contract(view: View) -> Iterator[Found]:
    """A part of a task's contract that the app cannot keep: recovery_s, attempts, run_s or queue."""
    for each in breaches(view.subject, view.pool):
        tasks = [view.subject.task(name) for name in each.tasks]
        yield Found([], each.observed, each.remedy, tasks=tasks, place=each.place, title=each.claim)
