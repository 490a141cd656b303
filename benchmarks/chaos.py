"""Chaos runs over server/: landed kills a minute on the embedded broker, and 10,000 invocations on a real Redis.

    python benchmarks/chaos.py [--without-many]

The first bar is 120 landed kills a minute, with start, drain and judging in the time; the second is 180 s for 10,000
invocations with about 200 kills, and nothing lost.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import figures

SERVER = Path(__file__).resolve().parent.parent / "server"
KILLS = "sigkill-child,sigkill-main,sigkill-group"
KILLING, MANY = "many kills, embedded", "many tasks, redis"
RUNS = {
    KILLING: ("--tasks", "600", "--intensity", "0.3", "--faults", KILLS),
    MANY: ("--tasks", "10000", "--intensity", "0.022", "--faults", KILLS, "--broker", "redis"),
}


def measured(arguments: tuple[str, ...]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        began = time.monotonic()
        command = [sys.executable, "-m", "assay", "chaos", "--seed", "20261124", "--out", str(out), *arguments]
        status = subprocess.run(command, cwd=SERVER, capture_output=True, text=True)
        took_s = time.monotonic() - began
        if status.returncode:
            raise SystemExit(f"exit {status.returncode}\n{status.stdout[-3000:]}\n{status.stderr[-1000:]}")
        report = json.loads((out / "report.json").read_text())
    return {"seconds": took_s, "landed": report["landed"], "lost": report["lost"]}


def main() -> bool:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--without-many", action="store_true", help="only the first of the two")
    given = parser.parse_args()
    found: dict[str, dict[str, float]] = {}
    for name, arguments in RUNS.items():
        if given.without_many and name == MANY:
            continue
        row = found[name] = measured(arguments)
        a_minute = row["landed"] * 60 / row["seconds"]
        print(f"{name:22} {row['seconds']:6.1f} s  {row['landed']:4.0f} kills landed, {a_minute:4.0f} a minute")
    kills = found[KILLING]
    bars = [
        {
            "figure": "landed kills a minute, embedded",
            "value": kills["landed"] * 60 / kills["seconds"],
            "bar": 120,
            "met": "above",
        }
    ]
    if MANY in found:
        figure = "10,000 invocations with 200 kills, Redis, seconds"
        bars.append({"figure": figure, "value": found[MANY]["seconds"], "bar": 180, "met": "below"})
    figures.keep("chaos", runs=found, bars=bars)
    return any(row["lost"] for row in found.values())


if __name__ == "__main__":
    sys.exit(main())
