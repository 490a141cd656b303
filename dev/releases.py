#!/usr/bin/env python3
"""What each release of Celery makes of an app of ten lines: `assay run` with all suites in an environment of its own.

    dev/releases.py [--broker NAME] [--times N] [--keep FOLDER] [RELEASE ...]

Prints a table in Markdown: each scenario that is not held by all releases, or not with the same outcome. Kombu,
billiard and redis-py are those of each release's own time (tests/constraints/).
"""

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "examples" / "bare"
RELEASES = {
    "5.4.0": "celery54",
    "5.5.3": "celery55",
    "5.6.2": "celery562",
    "5.6.3": "celery56",
    "5.7.0": "celery57",
}
Rows = dict[str, dict[str, Any]]  # of one run, by scenario


def environment(release: str, home: Path) -> Path:
    """Its Python: this checkout with that Celery."""
    place = home / release
    python = place / "bin" / "python"
    if not python.exists():
        venv.create(place, with_pip=True)
        constraints = ROOT / "tests" / "constraints" / f"{RELEASES[release]}.txt"
        command = [python, "-m", "pip", "install", "-q", "-c", constraints, "-e", f"{ROOT}[redis]"]
        subprocess.run(command, check=True)
    return python


def run(python: Path, broker: str, out: Path) -> Rows:
    """Raises RuntimeError with what was said where there is no report."""
    command = [python, "-m", "assay", "run", "-A", "bare:app", "--broker", broker, "--out", out]
    ended = subprocess.run(command, cwd=APP, capture_output=True, text=True)
    report = out / "report.json"
    if not report.exists():
        raise RuntimeError(f"exit {ended.returncode}\n{ended.stderr}")
    return {f"{row['suite']}.{row['scenario']}": row for row in json.loads(report.read_text())["results"]}


def word(row: dict[str, Any] | None) -> str:
    """A cell: what stands out is what is not held."""
    if row is None:
        return "-"
    outcome = row["outcome"] or row["verdict"]
    return outcome if row["verdict"] == "held" else f"**{row['verdict']}: {outcome}**"


def cell(runs: list[Rows], scenario: str) -> str:
    """Of several runs of one release: what they agree on, or all that was seen."""
    return " / ".join(dict.fromkeys(word(rows.get(scenario)) for rows in runs))


def table(found: dict[str, list[Rows]]) -> list[str]:
    scenarios = list(dict.fromkeys(name for runs in found.values() for rows in runs for name in rows))
    lines = [f"| scenario | {' | '.join(found)} |", f"| --- |{' --- |' * len(found)}"]
    for name in scenarios:
        cells = [cell(runs, name) for runs in found.values()]
        if len({*cells}) > 1 or any("**" in each for each in cells):
            lines.append(f"| `{name}` | {' | '.join(cells)} |")
    counts = [
        f"{sum(row['verdict'] == 'held' for row in runs[0].values())} of {len(runs[0])}" for runs in found.values()
    ]
    return [*lines, f"| held | {' | '.join(counts)} |"]


def reasons(found: dict[str, list[Rows]]) -> list[str]:
    """Why, for each that is not held, in the words of its report."""
    return [
        f"- {release} `{name}`: {' '.join(row['reason'].split())}"
        for release, runs in found.items()
        for name, row in runs[0].items()
        if row["verdict"] != "held"
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("releases", nargs="*", metavar="RELEASE", help=f"of {', '.join(RELEASES)}; default: all")
    parser.add_argument("--broker", default="fakeredis")
    parser.add_argument("--times", type=int, default=1, help="runs of each; default: 1")
    parser.add_argument("--keep", type=Path, help="folder for environments and runs, rather than a temporary one")
    options = parser.parse_args()
    if unknown := {*options.releases} - {*RELEASES}:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(RELEASES)}")
    with tempfile.TemporaryDirectory(prefix="assay-releases-") as temporary:
        home = options.keep or Path(temporary)
        found: dict[str, list[Rows]] = {}
        for release in options.releases or RELEASES:
            python = environment(release, home)
            for number in range(options.times):
                print(f"{release}, run {number + 1} of {options.times} ...", file=sys.stderr, flush=True)
                with tempfile.TemporaryDirectory(prefix=f"run-{release}-", dir=home) as out:
                    found.setdefault(release, []).append(run(python, options.broker, Path(out) / "run"))
    print("\n".join([*table(found), "", *reasons(found)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
