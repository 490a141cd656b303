"""One scenario for one task as it was run, kept beside its history, so that it can be judged again without running."""

from pathlib import Path

import msgspec

from assay.checker import conclude, judged
from assay.checkers import AnyChecker
from assay.history import History
from assay.kept import kept
from assay.verdict import Judgement, Result, Verdict

NAME = "case.json"


class Case(msgspec.Struct, kw_only=True):
    """What `check` needs beside the events. `error` is why the harness could not act to the end, where it could not."""

    suite: str
    scenario: str
    task: str
    members: list[str]
    fault: str
    claim: str = ""
    promise: str = ""
    remedy: str = ""
    place: str = ""
    scaled: list[str] = []
    checkers: list[AnyChecker] = []
    error: str = ""
    duration_s: float = 0.0


def write(case: Case, folder: Path) -> None:
    (folder / NAME).write_bytes(msgspec.json.format(msgspec.json.encode(case), indent=1))


def read(folder: Path) -> Case:
    """Raises UsageError where the file is damaged or missing."""
    return kept(folder / NAME, Case, "a scenario's folder of a run")


def judge(case: Case, folder: Path, root: Path) -> Result:
    """Pure: the same folder gives the same result, whenever."""
    judgements, world = judged(case.checkers, History(folder))
    if case.error:
        judgements = [*judgements, Judgement("harness", Verdict.UNKNOWN, case.error)]
    verdict, outcome, recovery_s, reason = conclude(judgements)
    return Result(
        suite=case.suite,
        scenario=case.scenario,
        task=case.task,
        members=case.members,
        fault=case.fault,
        claim=case.claim,
        promise=case.promise,
        outcome=outcome,
        verdict=verdict,
        recovery_s=recovery_s,
        injected=len(world.injected),
        landed=len(world.landed),
        reason=reason,
        remedy=case.remedy if verdict == Verdict.VIOLATED else "",
        place=case.place,
        folder=str(folder.relative_to(root)),
        duration_s=case.duration_s,
        judgements=judgements,
    )
