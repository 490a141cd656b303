"""Count, success rate, median and 95th percentile of executions, by task and by queue, over the last 24 hours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from .words import Ending, ending_of

PERIOD = timedelta(hours=24)
SPARK_POINTS = 40


@dataclass(frozen=True)
class Run:
    """What the figures need of one execution."""

    task: str
    queue: str
    status: str
    duration_s: float | None
    created_at: datetime


@dataclass
class Summary:
    """Figures of one group. The rate counts ended executions only: a cancelled or a waiting one is neither."""

    name: str
    good: int = 0
    bad: int = 0
    other: int = 0
    durations_s: list[float] = field(default_factory=list)  # of ended executions, oldest first

    @property
    def count(self) -> int:
        return self.good + self.bad + self.other

    @property
    def success_rate(self) -> float | None:
        ended = self.good + self.bad
        return self.good / ended if ended else None

    @property
    def median_s(self) -> float | None:
        return quantile(self.durations_s, 0.5)

    @property
    def p95_s(self) -> float | None:
        return quantile(self.durations_s, 0.95)

    def add(self, run: Run) -> None:
        ending = ending_of(run.status)
        self.good += ending is Ending.GOOD
        self.bad += ending is Ending.BAD
        self.other += ending is Ending.OTHER
        if run.duration_s is not None and ending is not Ending.OTHER:
            self.durations_s.append(run.duration_s)


def quantile(values: Iterable[float], share: float) -> float | None:
    """Nearest rank: always a duration that really was measured. None for no values."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else None


def summary(runs: Iterable[Run], name: str = "") -> Summary:
    whole = Summary(name)
    for run in runs:
        whole.add(run)
    return whole


def by(key: Callable[[Run], str], runs: Iterable[Run]) -> list[Summary]:
    """One summary for each value of `key`, the busiest first. `runs` must be oldest first."""
    groups: dict[str, Summary] = {}
    for run in runs:
        groups.setdefault(key(run), Summary(key(run))).add(run)
    return sorted(groups.values(), key=lambda group: (-group.count, group.name))


def by_hour(runs: Iterable[Run], now: datetime) -> list[tuple[datetime, Summary]]:
    """24 whole hours, the running one last; an hour without executions is there too, with zeros."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    groups: defaultdict[datetime, Summary] = defaultdict(lambda: Summary(""))
    for run in runs:
        groups[run.created_at.replace(minute=0, second=0, microsecond=0)].add(run)
    hours = [this_hour - timedelta(hours=back) for back in range(23, -1, -1)]
    return [(hour, groups[hour]) for hour in hours]
