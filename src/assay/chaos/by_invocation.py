"""A fault that waits for the nth start of a task, as one that strikes an invocation: that a test can say. Pure."""

from pathlib import Path

import msgspec

from assay.chaos import judging
from assay.chaos.draw import task_of
from assay.chaos.script import ChaosScript, Strike
from assay.event import Kind
from assay.history import History


def as_it_was(script: ChaosScript, folder: Path) -> list[Strike]:
    """The faults of the script, those that waited for a start as what that start was in the run of `folder`.

    One whose start never came, or was of no invocation of the workload, is left out.
    """
    if not script.aimed:
        return list(script.faults)
    numbers, started = judging.numbers(folder, script), dict[tuple[str, int], tuple[int, int]]()
    for event in History(folder / judging.FOLDER):
        if event.kind is Kind.ATTEMPT_STARTED and "nth" in event.detail and event.invocation in numbers:
            key = event.task, int(event.detail["nth"])
            started[key] = numbers[event.invocation], int(event.detail["start"]) + 1
    found = [strike if not strike.nth else _struck(strike, started) for strike in script.faults]
    return [strike for strike in found if strike is not None]


def _struck(strike: Strike, started: dict[tuple[str, int], tuple[int, int]]) -> Strike | None:
    if (found := started.get((strike.task, strike.nth))) is None:
        return None
    return msgspec.structs.replace(strike, invocation=found[0], attempt=found[1], task="", nth=0)


def without_choice(script: ChaosScript) -> ChaosScript:
    """The same where a task has one invocation left: its first start is that one's, and each later one too."""
    numbers = script.workload.numbers
    faults = []
    for strike in script.faults:
        theirs = [n for n in numbers if task_of(script.seed, script.workload, n) == strike.task] if strike.nth else []
        if len(theirs) == 1:
            strike = msgspec.structs.replace(strike, invocation=theirs[0], attempt=strike.nth, task="", nth=0)
        faults.append(strike)
    return msgspec.structs.replace(script, faults=tuple(faults))


def reached(script: ChaosScript, strike: Strike, numbers: list[int]) -> bool:
    """Whether what the fault waits for is among these invocations, if each starts once."""
    if not strike.nth:
        return strike.invocation in numbers
    return sum(task_of(script.seed, script.workload, n) == strike.task for n in numbers) >= strike.nth
