"""One whole `assay run` over server/: embedded broker, real Redis, cold workers; seconds, and whether verdicts agree.

    python benchmarks/run.py [--without-cold]

The verdicts of all three must be the same, row by row. The bar for the embedded broker on two cores is 90 s.
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
WAYS = {"embedded": (), "redis": ("--broker", "redis"), "cold": ("--cold",)}


def once(arguments: tuple[str, ...], out: Path) -> tuple[float, int, dict[tuple[str, str], str]]:
    """(seconds, exit code, verdict of each row)"""
    began = time.monotonic()
    command = [sys.executable, "-m", "assay", "run", "--out", str(out), *arguments]
    code = subprocess.run(command, cwd=SERVER, capture_output=True).returncode
    took = time.monotonic() - began
    rows = json.loads((out / "report.json").read_text())["results"]
    return took, code, {(row["scenario"], row["task"]): row["verdict"] for row in rows}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--without-cold", action="store_true")
    options = parser.parse_args()
    found, seconds = {}, {}
    with tempfile.TemporaryDirectory(prefix="assay-benchmark-") as folder:
        for name, arguments in WAYS.items():
            if name == "cold" and options.without_cold:
                continue
            took, code, found[name] = once(arguments, Path(folder) / name)
            seconds[name] = round(took, 1)
            print(f"{name:<9} {took:6.1f} s  exit {code}  {len(found[name])} rows", flush=True)
    first = next(iter(found.values()))
    differing = {
        row
        for verdicts in found.values()
        for row in first.keys() | verdicts.keys()
        if first.get(row) != verdicts.get(row)
    }
    print(f"{len(differing)} rows with another verdict", *sorted(differing))
    figures.keep(
        "run",
        seconds=seconds,
        rows=len(first),
        differing=len(differing),
        bars=[
            {
                "figure": "one run over server/, embedded, seconds",
                "value": seconds["embedded"],
                "bar": 90,
                "met": "below",
            }
        ],
    )
    return bool(differing)


if __name__ == "__main__":
    sys.exit(main())
