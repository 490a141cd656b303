"""SIGKILL `assay run` at 20 random moments: what is left two seconds later. Usage: leftovers.py [times] [seed]

Prints one line for each kill and the sum. The bar is 0.
"""

import random
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "integration"))

import figures  # noqa: E402
from leftovers import GONE_S, Command  # noqa: E402


def once(delay_s: float, tmp: Path) -> tuple[int, float, list[str]]:
    """(processes when it was killed, seconds until nothing was left, what was left after GONE_S)"""
    command = Command(["run", "-A", "twin:app", "--jobs", "4", "--out", str(tmp / "run")], APPS, tmp)
    time.sleep(delay_s)
    alive, ports = len(command.processes()), command.ports()
    command.kill()
    began = time.monotonic()
    while (left := [*command.left(ports), *command.folders_left()]) and time.monotonic() - began < GONE_S:
        time.sleep(0.02)
    return alive, time.monotonic() - began, left


APPS = HERE.parent / "tests" / "chaos" / "apps"


def main() -> int:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    chance = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    total, slowest = 0, 0.0
    for number in range(1, times + 1):
        delay_s = chance.uniform(0.05, 12.0)
        with tempfile.TemporaryDirectory(prefix="leftovers-") as folder:
            alive, gone_s, left = once(delay_s, Path(folder))
        total += len(left)
        slowest = round(max(slowest, gone_s), 2)
        print(f"{number:3} killed after {delay_s:5.2f} s, {alive:3} processes: {len(left)} left, {gone_s:.2f} s")
        print("".join(f"      {each}\n" for each in left), end="", flush=True)
    print(f"{total} processes, ports and folders left after {times} kills; gone within {slowest:.2f} s")
    figures.keep(
        "leftovers",
        kills=times,
        left=total,
        gone_within_s=round(slowest, 2),
        bars=[{"figure": "gone after a SIGKILL of the harness, seconds", "value": slowest, "bar": 2, "met": "below"}],
    )
    return int(total > 0)


if __name__ == "__main__":
    sys.exit(main())
