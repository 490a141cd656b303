"""The script of a chaos run: its workload and its faults, as a file that a person can read and change."""

import re
import tomllib
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from assay.errors import UsageError
from assay.event import Point
from assay.fault import STRIKING
from assay.selection import nearest

NAME = "chaos.toml"
MOST = 10_000_000
Count = Annotated[int, msgspec.Meta(ge=1)]
SIZES = (0, 0, 0, 1_000, 100_000)
Size = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Strike(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One fault and its trigger: an attempt stands at this crash point. Which one, is said in one of two forms.

    `invocation` counts the run's workload from 1, `attempt` the starts of its body from 1. Or it is the `nth` start of
    a body of `task`, counted from 1 over the whole cluster and workload, whichever invocation that is of. `lasts_s` is
    how long a fault that heals is left, in real seconds.
    """

    fault: str
    point: Point
    invocation: Count = 0  # 0: it is the other form
    attempt: Count = 1
    task: str = ""
    nth: Count = 0
    lasts_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 0.0


class Workload(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is published. Number n of a seed is the same invocation in every run, whichever others there are.

    `failing` and `retrying` are the shares that fail for good, and once with an error that is retried, where the task
    retries. `work_s` is the mean duration of a body in real seconds. `sizes` are the bytes that arguments and results
    are drawn from, each as likely. `rate` is how many are published a second; 0: as many as are being worked on. `only`
    are the numbers that are left of it, where it was made smaller.
    """

    tasks: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    number: Annotated[int, msgspec.Meta(ge=1, le=MOST)]
    failing: Share = 0.05
    retrying: Share = 0.1
    work_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 0.01
    sizes: Annotated[tuple[Size, ...], msgspec.Meta(min_length=1)] = SIZES
    rate: Annotated[float, msgspec.Meta(ge=0, le=1000)] = 0.0
    only: tuple[Count, ...] = ()

    @property
    def numbers(self) -> Sequence[int]:
        return sorted(self.only) if self.only else range(1, self.number + 1)


class ChaosScript(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that a run is made of, besides the app and the broker."""

    seed: int
    workers: Count = 2
    concurrency: Count = 2
    workload: Workload
    faults: tuple[Strike, ...] = ()

    def strikes(self) -> dict[int, list[Strike]]:
        """By the number of the invocation that they strike; without those that are aimed at the nth of a task."""
        found: dict[int, list[Strike]] = {}
        for strike in self.faults:
            if not strike.nth:
                found.setdefault(strike.invocation, []).append(strike)
        return found

    @property
    def aimed(self) -> list[Strike]:
        """Those that are aimed at the nth start of a task."""
        return [strike for strike in self.faults if strike.nth]


def write(script: ChaosScript, path: Path) -> None:
    workload = script.workload
    lines = [
        "# What `assay replay` runs again: change it, and it runs what you wrote. A fault strikes when that attempt of",
        "# that invocation (the workload's n-th), or the nth attempt of that task, whichever invocation it is of,",
        "# stands at that crash point. docs/chaos.md tells each key.",
        f"seed = {script.seed}",
        f"workers = {script.workers}",
        f"concurrency = {script.concurrency}",
        "",
        "[workload]",
        f"tasks = {_text(workload.tasks)}",
        f"number = {workload.number}",
        f"failing = {workload.failing}",
        f"retrying = {workload.retrying}",
        f"work_s = {workload.work_s}",
        f"sizes = {list(workload.sizes)}",
        f"rate = {workload.rate}",
    ]
    if workload.only:
        lines.append(f"only = {list(workload.only)}")
    for strike in script.faults:
        lines += ["", "[[faults]]", f'fault = "{strike.fault}"']
        if strike.nth:
            lines += [f"task = {_text(strike.task)}", f"nth = {strike.nth}"]
        else:
            lines += [f"invocation = {strike.invocation}", f"attempt = {strike.attempt}"]
        lines.append(f'point = "{strike.point}"')
        if strike.lasts_s:
            lines.append(f"lasts_s = {strike.lasts_s}")
    path.write_text("\n".join(lines) + "\n")


def _text(value: str | tuple[str, ...]) -> str:
    return msgspec.json.encode(value).decode()


def read(path: Path) -> ChaosScript:
    """Raises UsageError for a script that is missing, damaged or asks for what there is not."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        script = msgspec.convert(table, ChaosScript)
    except FileNotFoundError:
        raise UsageError(f"there is no script {path}: name a run folder of `assay chaos`") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"{path} is no script of a chaos run: {error}{_points(str(error))}") from None
    numbers = set(script.workload.only) or script.workload.numbers
    for strike, given in zip(script.faults, table.get("faults", ()), strict=True):
        _check_form(strike.fault, given, path)
        _check(strike, numbers, script.workload.tasks, path)
    return script


def _check_form(fault: str, given: Container[str], path: Path) -> None:
    """One of the two, and all of it: a key that is left out has a value that says nothing of it."""
    one, other = "invocation" in given, "task" in given and "nth" in given
    if any(key in given for key in ("task", "nth")) if one else not other or "attempt" in given:
        raise UsageError(
            f"{path}: {fault} strikes either an invocation (invocation, and attempt if it is not the first one), "
            "or the nth attempt of a task (task and nth)"
        )


def _points(error: str) -> str:
    """Which crash points there are, where the error is about one."""
    if not (found := re.search(r"Invalid enum value '(.*?)'", error)):
        return ""
    return nearest(found[1], Point) or f"; there are {', '.join(Point)}"


def _check(strike: Strike, numbers: Container[int], tasks: Sequence[str], path: Path) -> None:
    fault = STRIKING.get(strike.fault)
    if fault is None:
        raise UsageError(f"{path}: there is no fault {strike.fault}{nearest(strike.fault, STRIKING)}")
    if strike.point not in fault.points:
        raise UsageError(f"{path}: {strike.fault} cannot strike at {strike.point}; it can at {', '.join(fault.points)}")
    if strike.nth and strike.task not in tasks:
        hint = nearest(strike.task, tasks) or f"; there are {', '.join(tasks)}"
        raise UsageError(f"{path}: {strike.fault} is aimed at {strike.task}, no task of the workload{hint}")
    if not strike.nth and strike.invocation not in numbers:
        raise UsageError(f"{path}: {strike.fault} strikes invocation {strike.invocation}, which is not published")
