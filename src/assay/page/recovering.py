"""How long recovery took, by fault. Pure."""

from collections.abc import Sequence
from statistics import median

from assay.checkers.recovery import recoveries
from assay.page.draw import fault_of
from assay.page.reading import Reading
from assay.page.shown import Spread


def times_by_fault(readings: Sequence[Reading]) -> dict[str, list[float]]:
    """{fault: seconds from a death to the next start, in production units, sorted}."""
    found: dict[str, list[float]] = {}
    for reading in readings:
        for life in reading.lives.values():
            for wait in recoveries(life, reading.world):
                found.setdefault(fault_of(life, reading.world) or "no fault of its own", []).append(wait)
    return {fault: sorted(waits) for fault, waits in sorted(found.items())}


def spreads(now: dict[str, list[float]], before: dict[str, list[float]]) -> list[Spread]:
    """One for each fault of either run."""
    found = []
    for fault in sorted(now.keys() | before.keys()):
        times, earlier = now.get(fault, []), before.get(fault, [])
        medians = [median(each) if each else 0.0 for each in (times, earlier)]
        found.append(Spread(fault, times, earlier, *medians))
    return found


def thinned(times: Sequence[float], most: int) -> list[float]:
    """At most so many of the sorted times, the first and the last among them."""
    if len(times) <= most:
        return list(times)
    return [times[round(number * (len(times) - 1) / (most - 1))] for number in range(most)]
