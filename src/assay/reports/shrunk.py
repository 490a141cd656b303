"""What `assay shrink` found, for a person."""

from pathlib import Path
from typing import TYPE_CHECKING

from assay.reports.words import plain

if TYPE_CHECKING:
    from assay.chaos.again import Shrunk


def render(found: "Shrunk", out: Path) -> str:
    small, before = found.script, found.before
    lines = [
        f"{plain(found.row.task)} was {found.row.outcome or 'violated'} (chaos.{found.row.scenario}):"
        f" {plain(found.row.reason)}",
        "",
        f"from {len(before.faults)} faults to {len(small.faults)}, from {len(before.workload.numbers)} invocations to"
        f" {len(small.workload.numbers)}, in {found.runs} runs; red in {found.red} of {found.times}",
        "",
    ]
    for strike in small.faults:
        which = f"{strike.nth} of {plain(strike.task)}" if strike.nth else f"{strike.attempt} of #{strike.invocation}"
        lines.append(f"  {strike.fault} when attempt {which} is at {strike.point}")
    lines += ["", f"script  {out / 'chaos.toml'}", f"test    {found.test}"]
    return "\n".join(lines)
