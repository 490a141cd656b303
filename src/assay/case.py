"""One scenario for one task as it was run, kept beside its history, so that it can be judged again without running."""

from pathlib import Path

import msgspec

from assay import kept
from assay.checker import conclude, judged
from assay.checkers import AnyChecker
from assay.history import History
from assay.inventory import Inventory, missing
from assay.verdict import Judgement, Result, Verdict

NAME = "case.json"


class Case(msgspec.Struct, kw_only=True):
    """What `check` needs beside the events. `error` is why the harness could not act to the end, where it could not.

    `events` is what was recorded until it was judged; empty for what an earlier version has kept.
    """

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
    events: Inventory = {}


def read(folder: Path) -> Case:
    """Raises UsageError where the file is damaged or missing."""
    if not (folder / NAME).exists():
        raise missing(folder / NAME)
    return kept.kept(folder / NAME, Case, "a scenario's folder of a run")


def close(case: Case, folder: Path, root: Path) -> Result:
    """Judge it for the first time, and keep it with the inventory of what was judged."""
    history = History(folder)
    try:
        return _result(case, history, root)
    finally:
        case = msgspec.structs.replace(case, events=history.inventory)
        kept.keep(msgspec.json.format(msgspec.json.encode(case), indent=1), folder / NAME)


def judge(case: Case, folder: Path, root: Path) -> Result:
    """Pure: the same folder gives the same result, whenever. Raises UsageError where it is not whole any more."""
    return _result(case, History(folder, case.events), root)


def _result(case: Case, history: History, root: Path) -> Result:
    judgements, world = judged(case.checkers, history)
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
        folder=str(history.folder.relative_to(root)),
        duration_s=case.duration_s,
        judgements=judgements,
    )
