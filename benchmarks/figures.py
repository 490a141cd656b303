"""What the benchmarks saw, kept as one small JSON file each in `seen/`, and drawn by `python benchmarks/figures.py`.

The picture needs matplotlib (`pip install --group benchmark`); measuring does not.
"""

import datetime
import json
import platform
from pathlib import Path
from typing import Any

SEEN = Path(__file__).parent / "seen"
PICTURE = SEEN / "figures.svg"
WIDE, HIGH = 11, 6.4


def keep(name: str, **figures: Any) -> None:
    """Replaces what this benchmark saw before. No path or host name goes in."""
    SEEN.mkdir(exist_ok=True)
    about = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "python": platform.python_version(),
    }
    (SEEN / f"{name}.json").write_text(json.dumps({**about, **figures}, indent=1) + "\n")


def seen() -> dict[str, dict[str, Any]]:
    return {path.stem: json.loads(path.read_text()) for path in sorted(SEEN.glob("*.json"))}


def draw() -> None:
    """Each bar is a figure as a multiple of its bar (1: just met); then memory and speed by length of history."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "assay"  # the same figures make the same file
    import matplotlib.pyplot as plt

    found = seen()
    figure, (bars, memory) = plt.subplots(1, 2, figsize=(WIDE, HIGH), width_ratios=(3, 2))
    rows = [(each["figure"], each["value"], each["bar"], each["met"]) for one in found.values() for each in one["bars"]]
    names = [f"{name}\n{value:g} (bar {bar:g})" for name, value, bar, _ in rows]
    times = [value / bar if met == "above" else bar / max(value, 1e-9) for _, value, bar, met in rows]
    colours = ["#1a7f5a" if each >= 1 else "#b3261e" for each in times]
    places = range(len(rows), 0, -1)
    bars.barh(places, [min(each, 8) for each in times], color=colours, height=0.6)
    for place, each in zip(places, times, strict=True):
        bars.text(min(each, 8) + 0.1, place, f"{each:.2f}x{'' if each >= 1 else ' short'}", va="center", fontsize=8)
    bars.axvline(1, color="black", linewidth=1)
    bars.set_yticks(list(places), names, fontsize=8)
    bars.set_xlim(0, 9)
    bars.set_xlabel("times better than its bar (right of the line: met)")
    lengths = found["checkers"]["by_length"]
    events = [each["events"] for each in lengths]
    memory.plot(events, [each["memory_mib"] for each in lengths], "o-", color="#1a7f5a", label="MiB, few open")
    memory.plot(events, [each["keeping_mib"] for each in lengths], "s--", color="#666666", label="MiB, every life kept")
    memory.set_xscale("log")
    memory.set_yscale("log")
    memory.set_xlabel("events in the history")
    memory.set_ylabel("memory of the checkers, MiB")
    memory.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(PICTURE, metadata={"Date": None})
    print(f"drawn: {PICTURE.relative_to(Path.cwd())}")


if __name__ == "__main__":
    draw()
