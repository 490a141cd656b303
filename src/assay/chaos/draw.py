"""What a seed stands for: each invocation of the workload, and the faults that strike it.

`random.Random` of a string gives the same numbers in every release of Python, which Hypothesis does not promise of its
strategies: a seed in a report must mean the same next year.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from types import MappingProxyType

import msgspec

from assay.chaos.script import ChaosScript, Strike, Workload
from assay.fault import STRIKING, Needs
from assay.script import Act, Hold, Script
from assay.subject import Subject

LONGEST = 8  # times the mean: what a body takes at most
SWARM_LEAST = 2
AIMED = 0.25  # share of the faults that wait for the nth start of a task rather than for an invocation


def choose(seed: int, faults: Sequence[str], *, swarm: bool) -> list[str]:
    """The kinds of fault of a run; a swarm takes a part of them, so that kinds that hide each other are also apart."""
    if not swarm:
        return list(faults)
    random = Random(f"{seed}:kinds")
    number = random.randint(min(SWARM_LEAST, len(faults)), len(faults))
    return sorted(random.sample(list(faults), number))


def strikes(seed: int, workload: Workload, kinds: Sequence[str], intensity: float) -> tuple[Strike, ...]:
    """A share of `intensity` of the workload is struck, each invocation at most once.

    AIMED of them, which strike any invocation of a task, wait for as many starts of it as it has invocations until the
    one that was drawn: so many there are, whatever happens.
    """
    found = []
    of_task: Counter[str] = Counter()
    for number in workload.numbers:
        task = task_of(seed, workload, number)
        of_task[task] += 1
        random = Random(f"{seed}:{number}:fault")
        if kinds and random.random() < intensity:
            name = random.choice(kinds)
            fault = STRIKING[name]
            point = random.choice(fault.points)
            lasts_s = round(random.uniform(*fault.lasts_s), 3) if fault.lasts_s else 0.0
            strike = Strike(fault=name, invocation=number, point=point, lasts_s=lasts_s)
            if Random(f"{seed}:{number}:aim").random() < AIMED and not spares(strike):
                strike = msgspec.structs.replace(strike, invocation=0, task=task, nth=of_task[task])
            found.append(strike)
    return tuple(found)


def task_of(seed: int, workload: Workload, number: int) -> str:
    """The task of this invocation of the workload."""
    return Random(f"{seed}:{number}:work").choice(workload.tasks)


def spares(strike: Strike) -> bool:
    """Whether what it strikes is to succeed in the end, so that none may be struck that fails by itself."""
    return Needs.RESULTS in STRIKING[strike.fault].needs


def aimed_at(script: ChaosScript) -> dict[str, bool]:
    """{task at whose nth start a fault is aimed: whether one of them spares what fails}."""
    found: dict[str, bool] = {}
    for strike in script.aimed:
        found[strike.task] = found.get(strike.task, False) or spares(strike)
    return found


class Job:
    """One invocation of the workload: `number` counts from 1. `mine` are the faults that strike it, and no other one.

    `aimed` is `aimed_at` the script: for its starts to be counted, where it is not beyond the workload.
    """

    def __init__(
        self,
        script: ChaosScript,
        subject: Subject,
        number: int,
        mine: Sequence[Strike],
        aimed: Mapping[str, bool] = MappingProxyType({}),
    ) -> None:
        random = Random(f"{script.seed}:{number}:work")
        workload = script.workload
        self.number = number
        self.task = random.choice(workload.tasks)
        work_s = min(random.expovariate(1 / workload.work_s), LONGEST * workload.work_s) if workload.work_s else 0.0
        result_bytes, self.payload = random.choice(workload.sizes), random.choice(workload.sizes)
        fails, retries = random.random() < workload.failing, random.random() < workload.retrying
        act = Act(work_s=round(work_s, 4), result_bytes=result_bytes)
        acts: tuple[Act, ...] = (act,)
        if retries and subject.task(self.task).may_retry:
            acts = (Act(ends="raise", error="transient", work_s=act.work_s), act)
        elif fails and not mine and not aimed.get(self.task):  # what is struck is to be done in the end
            acts = (Act(ends="raise", work_s=act.work_s),)
        self.strikes = {(strike.attempt, strike.point): strike for strike in mine}
        holds = tuple(Hold(strike.point, strike.attempt - 1) for strike in mine)
        self.script = Script(acts=acts, holds=holds, counted=self.task in aimed)
