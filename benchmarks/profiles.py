"""`assay run` over 200 tasks in three profiles against five tasks in three: seconds of each, five times in turn.

    python benchmarks/profiles.py [rounds]

Tasks of a profile are run once for all of them, so the bar is a ratio below 2.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import figures

APPS = Path(__file__).resolve().parent.parent / "tests" / "chaos" / "apps"


def once(tasks: int, out: Path) -> float:
    """Seconds of one run over so many tasks. Raises CalledProcessError where it does not hold."""
    command = [sys.executable, "-m", "assay", "run", "-A", "many:app", "--suite", "routing", "--out", str(out)]
    began = time.monotonic()
    subprocess.run(command, cwd=APPS, env={**os.environ, "MANY_TASKS": str(tasks)}, capture_output=True, check=True)
    return time.monotonic() - began


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    few, many = [], []
    with tempfile.TemporaryDirectory(prefix="assay-benchmark-") as folder:
        for number in range(rounds):
            few.append(once(5, Path(folder) / f"few-{number}"))
            many.append(once(200, Path(folder) / f"many-{number}"))
            print(f"5 tasks {few[-1]:.1f} s, 200 tasks {many[-1]:.1f} s", flush=True)
    ratio = round(statistics.median(many) / statistics.median(few), 2)
    print(f"200 tasks take {ratio} times as long as five (medians of {rounds})")
    figures.keep(
        "profiles", bars=[{"figure": "200 tasks against 5, times as long", "value": ratio, "bar": 2, "met": "below"}]
    )


if __name__ == "__main__":
    main()
