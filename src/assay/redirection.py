"""Where a process of a cluster goes instead of where the app says, and how its durations are scaled. Data only."""

from collections.abc import Sequence
from typing import Any

import msgspec

SHORTEST_S = 0.15  # of a scaled countdown; see scaled_s
AMQP = ("amqp", "amqps", "pyamqp", "librabbitmq")


class Redirection(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a worker or client of one cluster goes, and how its durations are scaled. Times in real seconds."""

    broker_url: str
    result_backend: str = ""  # "" leaves it as it is
    broker_tls: dict[str, Any] = {}  # of broker_use_ssl; empty: the address says it all
    key_prefix: str = ""  # before every key and channel, and before a prefix of the app's own
    databases: dict[str, str] = {}  # Django alias -> SQLite file
    database_timeout_s: float = 0.0  # the longest wait for a database's lock; 0: as configured
    countdown_scale: float = 1.0  # a countdown or ETA of n seconds takes n / countdown_scale, and SHORTEST_S at least
    least_countdown_s: float = 0.0  # what each countdown takes at least, also one that is shorter in production
    limits: tuple[tuple[float, float], ...] = ()  # time limits in production and in the run; see scaled_limit
    transport_options: dict[str, Any] = {}  # of broker_transport_options: scaled durations
    settings: dict[str, Any] = {}  # scaled durations and the like, stated to the user
    pool_check_s: float = 0.0  # how often a prefork pool looks for dead children; 0: as Celery does, every 5 s
    foreign_transport: bool = False  # options of the app's transport mean nothing to that of the run
    plain_calls: tuple[str, ...] = ()  # tasks whose base class's `__call__` is left out
    early_acks: bool = False  # the canary: acknowledge each task before its body, whatever is configured
    clock_offset_s: float = 0.0  # kombu's clock is this much ahead: visibility timeouts are reached at once


def scaled_limit(limit_s: float, points: Sequence[tuple[float, float]]) -> float:
    """What a time limit takes in a run: straight lines between the points, so that any two limits keep their order."""
    low, low_real = 0.0, 0.0
    for high, high_real in points:
        if limit_s <= high:
            return low_real + (limit_s - low) * (high_real - low_real) / (high - low)
        low, low_real = high, high_real
    return limit_s * low_real / low if low else limit_s


def scaled_s(wait_s: float, scale: float, least_s: float = 0.0) -> float:
    """What a wait takes in a run. Celery publishes a retry before it stores RETRY for the attempt that failed.

    A wait of a second leaves time for that, a fortieth of it may not: then the retry's SUCCESS would be overwritten,
    and what is seen were the scale's doing. A wait that is that short in production stays as it is.
    """
    scaled = max(wait_s / scale, min(wait_s, SHORTEST_S))
    return max(scaled, least_s) if least_s else scaled
