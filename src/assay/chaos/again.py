"""A chaos run once more: the same script again (`replay`), and the smallest one that is still red (`shrink`)."""

import datetime
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from assay.bench import Bench, bench
from assay.chaos import judging
from assay.chaos.by_invocation import as_it_was, reached, without_choice
from assay.chaos.ddmin import smallest
from assay.chaos.possible import must_be_possible
from assay.chaos.regression import writable, write_test
from assay.chaos.run import facts_of, finished, perform
from assay.chaos.script import NAME, ChaosScript, Strike, read, write
from assay.chaos.signature import Mark, mark, named, signature, told, worst
from assay.conclusion import Facts
from assay.errors import NotShownError, UsageError
from assay.facts import keep
from assay.known import mark_known
from assay.progress import Progress, Silent
from assay.report import Report
from assay.settings import Settings
from assay.verdict import Result, Verdict

TIMES = 5  # that a smallest script is run to know how often it is red


class Replayed(msgspec.Struct):
    """`reproduced` of the runs were what the first one was; reports by the folder that each run has."""

    reproduced: int
    reports: dict[str, Report]

    @property
    def worst(self) -> str:
        """The folder of the worst of them."""
        return max(self.reports, key=lambda folder: self.reports[folder].verdict.rank)


def replay(settings: Settings, facts: Facts, folder: Path, times: int, progress: Progress) -> Replayed:
    """Run the script of a run folder again, each time into a folder of its own below `settings.out`."""
    script = read(folder / NAME)
    recorded = bool(facts.events) or (folder / judging.FOLDER).is_dir()  # not with the smallest script of a run
    before = _signature(facts, _judged(facts, script, folder)) if recorded else set()
    reports: dict[str, Report] = {}
    reproduced = 0
    with bench(settings, progress, called={}) as it:
        _same_app(it, script)
        must_be_possible(it, script)
        for number in range(1, times + 1):
            out = settings.out / str(number)
            out.mkdir(parents=True)
            write(script, out / NAME)
            own = facts_of(settings, it, script)
            own.demanded = facts.demanded
            keep(own, out)
            began = time.monotonic()
            performed = perform(it, script, out, facts.demanded, progress)
            report = finished(own, performed, out, time.monotonic() - began)
            after = _signature(facts, performed.results)
            held = report.verdict is Verdict.HELD
            same = bool(before & after) if before else held if recorded else bool(after)
            reproduced += same
            said = told(after) or str(report.verdict)
            progress.note(f"replay {number} of {times}: {'the same' if same else 'not the same'}: {said}")
            reports[str(number)] = report
    return Replayed(reproduced, reports)


def _judged(facts: Facts, script: ChaosScript, folder: Path) -> list[Result]:
    """What the run was. Its script may be another one by now, its events may not."""
    return judging.judge(facts.subject, script, facts.demanded, folder, facts.events)


def _signature(facts: Facts, results: list[Result]) -> set[Mark]:
    mark_known(results, facts.known, datetime.datetime.now(datetime.UTC).date())
    return signature(results)


class Shrunk(msgspec.Struct):
    """The smallest script, what it was made from, how often it was red in how many runs, and its test."""

    script: ChaosScript
    before: ChaosScript
    row: Result
    red: int
    times: int
    runs: int
    test: Path


def shrink(
    settings: Settings, facts: Facts, folder: Path, tests: Path, progress: Progress, row: str = "", task: str = ""
) -> Shrunk:
    """Of the worst red row, or of the one that is named.

    Raises UsageError for a run that is not red, or not so, and NotShownError for one that is not red again.
    """
    script = read(folder / NAME)
    results = _judged(facts, script, folder)
    _signature(facts, results)  # marks what is known
    wanted = worst(results)
    if wanted is None:
        raise UsageError(f"{folder} is not red: there is nothing to make smaller")
    if row:
        wanted = named(results, row, task)
    writable(tests)
    with bench(settings, progress, called={}) as it:
        _same_app(it, script)
        must_be_possible(it, script)
        probe = Probe(it, facts.demanded, mark(wanted), settings.out, progress)
        progress.phase(f"looking for the cause of {told({mark(wanted)})}")
        small = _smaller(script, _suspects(script, wanted, folder), probe)
        red = sum(probe(small) for _ in range(TIMES))
    keep(facts_of_small(facts, small), settings.out)
    write(small, settings.out / NAME)
    path = write_test(small, script, wanted, facts, red, TIMES, tests)
    return Shrunk(small, script, wanted, red, TIMES, probe.runs, path)


def facts_of_small(facts: Facts, small: ChaosScript) -> Facts:
    """So that the smallest script can be replayed from its folder."""
    return msgspec.structs.replace(
        facts, notes=[], duration_s=0.0, members={n: [n] for n in small.workload.tasks}, files={}, events={}
    )


class Probe:
    """Whether a script is red in the same way: runs it, and keeps nothing of it."""

    def __init__(self, it: Bench, demanded: str, wanted: Mark, out: Path, progress: Progress) -> None:
        self._it = it
        self._demanded = demanded
        self._wanted = wanted
        self._out = out
        self._progress = progress
        self.runs = 0

    def __call__(self, script: ChaosScript) -> bool:
        self.runs += 1
        out = self._out / f"probe-{self.runs}"
        out.mkdir(parents=True)
        try:
            red = self._wanted in signature(perform(self._it, script, out, self._demanded, Silent()).results)
        finally:
            shutil.rmtree(out, ignore_errors=True)
        faults, tasks = len(script.faults), len(script.workload.numbers)
        self._progress.note(f"run {self.runs}: {faults} faults, {tasks} invocations: {'red' if red else 'not red'}")
        return red


def _suspects(script: ChaosScript, row: Result, folder: Path) -> list[Strike]:
    """The faults that struck what the row names, in the order in which it names them; each by that invocation."""
    numbers = judging.numbers(folder, script)
    named = [numbers[each] for judgement in row.judgements for each in judgement.invocations if each in numbers]
    faults = as_it_was(script, folder)
    return [strike for number in dict.fromkeys(named) for strike in faults if strike.invocation == number]


def _smaller(script: ChaosScript, suspects: list[Strike], red: Callable[[ChaosScript], bool]) -> ChaosScript:
    """First what is suspected, alone; then by halves. Raises NotShownError where it is never red again."""
    for strike in suspects[:3]:
        guess = _with(script, [strike], [strike.invocation])
        if red(guess):
            return _fewer_workers(guess, red)
    if not red(script):
        raise NotShownError(
            "when the script was run again it was not red in this way: `assay replay` it a few times to see how often "
            "it is, and which of its rows are"
        )
    strikes = smallest(script.faults, lambda some: red(_with(script, some, script.workload.numbers)))
    small = _sooner(_with(script, strikes, script.workload.numbers), red)
    alone = [strike.invocation for strike in strikes if not strike.nth]
    if alone and red(_of(small, alone)):
        small = _of(small, alone)
    else:
        small = _of(small, smallest(small.workload.numbers, lambda some: red(_of(small, some))))
    plain = without_choice(small)
    if plain != small and red(plain):
        small = plain
    return _fewer_workers(small, red)


def _sooner(script: ChaosScript, red: Callable[[ChaosScript], bool]) -> ChaosScript:
    """Faults that wait for the nth start of a task wait for an earlier one: fewer invocations are needed for that."""
    for number, strike in enumerate(script.faults):
        for nth in sorted({1, strike.nth // 4, strike.nth // 2} - {0}) if strike.nth > 1 else ():
            faults = list(script.faults)
            faults[number] = msgspec.structs.replace(strike, nth=nth)
            if red(guess := msgspec.structs.replace(script, faults=tuple(faults))):
                script = guess
                break
    return script


def _of(script: ChaosScript, numbers: list[int]) -> ChaosScript:
    """These invocations alone, and the faults that strike one of them."""
    return _with(script, [strike for strike in script.faults if reached(script, strike, numbers)], numbers)


def _with(script: ChaosScript, strikes: list[Strike], numbers: Sequence[int]) -> ChaosScript:
    workload = msgspec.structs.replace(script.workload, only=tuple(sorted({*numbers})))
    return msgspec.structs.replace(script, faults=tuple(strikes), workload=workload)


def _fewer_workers(script: ChaosScript, red: Callable[[ChaosScript], bool]) -> ChaosScript:
    for fewer in ({"workers": 1, "concurrency": 1}, {"workers": 1}):
        less = msgspec.structs.replace(script, **fewer)
        if less != script and red(less):
            return less
    return script


def _same_app(it: Bench, script: ChaosScript) -> None:
    names = {task.name for task in it.subject.tasks}
    if gone := [name for name in script.workload.tasks if name not in names]:
        raise UsageError(f"{it.subject.app} has no task {gone[0]} any more, which the script publishes")
