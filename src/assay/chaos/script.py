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
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Strike(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fault and its trigger: this attempt of this invocation stands at this crash point.

    `invocation` counts the run's workload from 1, `attempt` the starts of its body from 1. `lasts_s` is how long a
    fault that heals is left, in real seconds.
    """

    fault: str
    invocation: Count
    point: Point
    attempt: Count = 1
    lasts_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 0.0


class Workload(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is published. Number n of a seed is the same invocation in every run, whichever others there are.

    `failing` and `retrying` are the shares that fail for good, and once with an error that is retried, where the task
    retries. `work_s` is the mean duration of a body in real seconds. `only` are the numbers that are left of it, where
    it was made smaller.
    """

    tasks: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    number: Annotated[int, msgspec.Meta(ge=1, le=MOST)]
    failing: Share = 0.05
    retrying: Share = 0.1
    work_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 0.01
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
        """By the number of the invocation that they strike."""
        found: dict[int, list[Strike]] = {}
        for strike in self.faults:
            found.setdefault(strike.invocation, []).append(strike)
        return found


def write(script: ChaosScript, path: Path) -> None:
    workload = script.workload
    lines = [
        "# What `assay replay` runs again: change it, and it runs what you wrote. A fault strikes when that attempt of",
        "# that invocation (the workload's n-th) stands at that crash point. docs/chaos.md tells each key.",
        f"seed = {script.seed}",
        f"workers = {script.workers}",
        f"concurrency = {script.concurrency}",
        "",
        "[workload]",
        f"tasks = {_list(workload.tasks)}",
        f"number = {workload.number}",
        f"failing = {workload.failing}",
        f"retrying = {workload.retrying}",
        f"work_s = {workload.work_s}",
    ]
    if workload.only:
        lines.append(f"only = {list(workload.only)}")
    for strike in script.faults:
        lines += ["", "[[faults]]", f'fault = "{strike.fault}"', f"invocation = {strike.invocation}"]
        lines += [f"attempt = {strike.attempt}", f'point = "{strike.point}"']
        if strike.lasts_s:
            lines.append(f"lasts_s = {strike.lasts_s}")
    path.write_text("\n".join(lines) + "\n")


def _list(names: tuple[str, ...]) -> str:
    return msgspec.json.encode(names).decode()


def read(path: Path) -> ChaosScript:
    """Raises UsageError for a script that is missing, damaged or asks for what there is not."""
    try:
        script = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), ChaosScript)
    except FileNotFoundError:
        raise UsageError(f"there is no script {path}: name a run folder of `assay chaos`") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"{path} is no script of a chaos run: {error}{_points(str(error))}") from None
    numbers = set(script.workload.only) or script.workload.numbers
    for strike in script.faults:
        _check(strike, numbers, path)
    return script


def _points(error: str) -> str:
    """Which crash points there are, where the error is about one."""
    if not (found := re.search(r"Invalid enum value '(.*?)'", error)):
        return ""
    return nearest(found[1], Point) or f"; there are {', '.join(Point)}"


def _check(strike: Strike, numbers: Container[int], path: Path) -> None:
    fault = STRIKING.get(strike.fault)
    if fault is None:
        raise UsageError(f"{path}: there is no fault {strike.fault}{nearest(strike.fault, STRIKING)}")
    if strike.point not in fault.points:
        raise UsageError(f"{path}: {strike.fault} cannot strike at {strike.point}; it can at {', '.join(fault.points)}")
    if strike.invocation not in numbers:
        raise UsageError(f"{path}: {strike.fault} strikes invocation {strike.invocation}, which is not published")
