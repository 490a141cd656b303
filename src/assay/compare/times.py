"""Times of two runs on machines that are noisy: a bound that no noise passes, and a rank test where runs were repeated.

Rows of one run share its machine, so a difference that a test over rows finds may be the machine's. It is told only
where the rows as a whole took about as long as in the earlier runs, and where the current run lies outside all that
these did, by as much as they differ among themselves.
"""

from collections.abc import Callable, Iterator, Sequence
from statistics import median

from assay.compare.comparison import Timing
from assay.compare.rank_test import p_value
from assay.compare.rows import by_task
from assay.report import Report
from assay.verdict import Result, Verdict

#: recovery is noisy by seconds, whatever it takes: a lost child is noticed at once or after five of them, and what a
#: visibility timeout or a countdown adds is not waited for but reckoned
NOISE_S, NOISE_SHARE = 10.0, 0.25
LEAST_RUNS = 3  # of a base, to say how much runs differ among themselves
LEAST_ROWS = 5
SIGNIFICANT = 0.001
#: the least difference that is worth a word
LEAST_S, LEAST_SHARE = 0.5, 0.25
USUAL = 1.25  # by how much a machine may be slower or faster than in any earlier run

Samples = dict[str, list[float]]  # what was measured -> seconds, a row each


def later(before: Sequence[float | None], after: float | None) -> tuple[float, float] | None:
    """(the longest before, now) where that is beyond any noise."""
    known = [each for each in before if each is not None]
    if not known or after is None or after <= max(known) * (1 + NOISE_SHARE) + NOISE_S:
        return None
    return max(known), after


def untested(bases: Sequence[Report], current: Report) -> str:
    """Why recovery times were held against the wide bound only; "" where they were tested."""
    if not _recoveries(current):
        return ""
    bound = f"a recovery counts as longer where it is so by {NOISE_S:g} s and {100 * NOISE_SHARE:g} % more"
    if len(bases) < LEAST_RUNS:
        return f"with less than {LEAST_RUNS} runs, {bound}"
    pace = _pace(bases, current)
    if pace is None:
        return f"{bound}: the earlier runs have no durations that tell how fast their machine was"
    if _is_usual(bases, pace):
        return ""
    return f"rows took {pace:.2g} times as long as in the earlier runs: no test tells machine from app, so {bound}"


def timings(bases: Sequence[Report], current: Report) -> list[Timing]:
    """What is slower or faster, the greatest difference first."""
    if len(bases) < LEAST_RUNS or (pace := _pace(bases, current)) is None or not _is_usual(bases, pace):
        return []
    found = [*_differing(bases, current, _recoveries), *_differing(bases, current, _durations)]
    return sorted(found, key=lambda each: -abs(each.after_s - each.before_s))


def _differing(bases: Sequence[Report], current: Report, measure: Callable[[Report], Samples]) -> Iterator[Timing]:
    earlier = [measure(report) for report in bases]
    for what, now in measure(current).items():
        runs = [samples[what] for samples in earlier if len(samples.get(what, ())) >= LEAST_ROWS]
        if len(now) < LEAST_ROWS or len(runs) < LEAST_RUNS:
            continue
        pooled, middles = [each for run in runs for each in run], [median(run) for run in runs]
        spread, middle = max(middles) - min(middles), median(now)
        gap = max(min(middles) - middle, middle - max(middles))
        if gap <= max(spread, LEAST_S, LEAST_SHARE * median(pooled)):
            continue
        p = p_value(pooled, now)
        if p < SIGNIFICANT:
            yield Timing(what=what, before_s=median(pooled), after_s=middle, p=p, rows=len(now), runs=len(runs))


def _pace(bases: Sequence[Report], report: Report) -> float | None:
    """How long rows took in a run, as a share of what the same rows took in the earlier ones: the median of all."""
    earlier = [_each(base) for base in bases]
    shares = []
    for name, took in _each(report).items():
        if before := [rows[name] for rows in earlier if name in rows]:
            shares.append(took / median(before))
    return median(shares) if shares else None


def _is_usual(bases: Sequence[Report], pace: float) -> bool:
    """Whether the machine was about as fast as in one of the earlier runs."""
    paces = [each for base in bases if (each := _pace(bases, base)) is not None]
    return min(paces) / USUAL <= pace <= max(paces) * USUAL


def _each(report: Report) -> dict[tuple[str, str, str], float]:
    return {(row.suite, row.scenario, row.task): row.duration_s for row in _held(report)}


def _recoveries(report: Report) -> Samples:
    """By fault: what is recovered from is the same for all tasks and crash points."""
    found: Samples = {}
    for row in _held(report):
        if row.recovery_s is not None:
            found.setdefault(f"recovery after {row.fault}", []).append(row.recovery_s)
    return found


def _durations(report: Report) -> Samples:
    """By suite. A baseline has none."""
    found: Samples = {}
    for row in _held(report):
        if row.duration_s:
            found.setdefault(f"duration of a row of {row.suite}", []).append(row.duration_s)
    return found


def _held(report: Report) -> list[Result]:
    """Each row once, however many tasks it counts for. A baseline has rounded times, and no durations."""
    rows = {id(row): row for row in by_task(report).values()}.values()
    return [row for row in rows if row.verdict is Verdict.HELD and row.duration_s]
