"""A fault of a chaos run: what triggers it, what it does, how it heals."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from assay.cluster import Cluster
from assay.event import Point
from assay.gate import Waiting
from assay.worker import Worker

IN_CHILD = (
    Point.BODY_ENTER,
    Point.BODY_MIDDLE,
    Point.BODY_EXIT,
    Point.BEFORE_RESULT,
    Point.AFTER_RESULT,
    Point.AFTER_TRACE,
)
IN_BODY = (Point.BODY_ENTER, Point.BODY_MIDDLE, Point.BODY_EXIT)


class Strike(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fault and its trigger: this attempt of this invocation stands at this crash point.

    `invocation` counts the run's workload from 1, `attempt` the starts of its body from 1. `lasts_s` is how long a
    fault that heals is left, in real seconds.
    """

    fault: str
    invocation: int
    point: Point
    attempt: int = 1
    lasts_s: float = 0.0


Heal = Callable[[], None]
#: acts on the cluster while the attempt is held, lets it go (or kills it), and returns what heals it later, if anything
Inject = Callable[[Cluster, Worker, Waiting], Heal | None]


@dataclass(frozen=True)
class Fault:
    """`points` are where it may strike. `lasts_s` is None where nothing heals it, else the least and the most."""

    name: str
    inject: Inject
    points: tuple[Point, ...] = IN_BODY
    lasts_s: tuple[float, float] | None = None
    takes_child: bool = False  # no more than the child that runs the attempt is hit
