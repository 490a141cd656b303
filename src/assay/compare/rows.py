"""Rows of a report by task, and what one is worth beside another."""

from assay.report import Claim, Report
from assay.verdict import CHAOS, Outcome, Result, Verdict

Key = tuple[str, str, str]  # suite, scenario, task

#: what an outcome says of delivery
WORDS = {
    Outcome.OK: "done once",
    Outcome.RECOVERED: "at-least-once",
    Outcome.FAILED: "failed",
    Outcome.REVOKED: "revoked",
    Outcome.IN_DOUBT: "in doubt",
    Outcome.DUPLICATED: "run twice",
    Outcome.STUCK: "stuck",
    Outcome.LOOPING: "looping",
    Outcome.LOST: "lost",
}
#: the lower the stronger, where no promise tells them apart. Whether work was interrupted before it was done is no
#: matter of strength: it is a race between the fault and the work in some scenarios
STRENGTH = {
    None: 0,
    Outcome.OK: 0,
    Outcome.RECOVERED: 0,
    Outcome.DUPLICATED: 1,
    Outcome.REVOKED: 2,
    Outcome.FAILED: 2,
    Outcome.IN_DOUBT: 3,
    Outcome.STUCK: 4,
    Outcome.LOOPING: 4,
    Outcome.LOST: 5,
}


def by_task(report: Report) -> dict[Key, Result]:
    """Each row under each of its members: which task was run for a profile is of no account. The worst of several."""
    found: dict[Key, Result] = {}
    for row in report.results:
        for task in dict.fromkeys((row.task, *row.members)):
            key = (row.suite, row.scenario, task)
            if key not in found or rank(row) > rank(found[key]):
                found[key] = row
    return found


def unrun(report: Report) -> list[Claim]:
    """Claims that were judged without a row: of settings that nothing reads, and contracts that cannot be kept."""
    settings = {row.claim for row in report.results}
    told = {(row.claim, task) for row in report.results for task in (row.task, *row.members)}
    return [
        claim
        for claim in report.claims
        if claim.setting not in settings or not {(claim.setting, task) for task in claim.tasks} <= told
    ]


def rank(row: Result) -> tuple[int, int]:
    """The higher the worse: by its verdict first."""
    return row.verdict.rank, STRENGTH[told(row)]


def seen(row: Result) -> tuple[Verdict, Outcome | None, bool]:
    """By what two rows of repeated runs are the same."""
    return row.verdict, told(row), bool(row.known)


def told(row: Result) -> Outcome | None:
    """Its outcome, where that is more than chance: a row of a chaos run tells the worst of many that were drawn."""
    return None if row.suite == CHAOS else row.outcome


def guarantee(row: Result) -> str:
    """In a word or two: "at-least-once", "lost", "violated", "unknown"."""
    if row.verdict is Verdict.UNKNOWN:
        return "unknown"
    if row.outcome is None or (row.verdict is Verdict.VIOLATED and row.outcome is Outcome.OK):
        word = str(row.verdict)
    else:
        word = WORDS[row.outcome]
    return f"known: {word}" if row.known else word


def words(before: Result, after: Result) -> tuple[str, str]:
    """Both guarantees; their verdicts too where the words alone do not tell them apart."""
    one, other = guarantee(before), guarantee(after)
    if one == other and before.verdict is not after.verdict:
        return f"{one} ({before.verdict})", f"{other} ({after.verdict})"
    return one, other
