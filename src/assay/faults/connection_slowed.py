"""The connections of the main process to the broker are slow for a while, in both directions."""

from collections.abc import Callable

from assay.cluster import Cluster
from assay.gate import Waiting
from assay.landing import SLOWED
from assay.worker import Worker

FAULT = SLOWED


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> Callable[[], None]:
    heal = cluster.slow_down(worker, held.held.invocation)
    held.release()
    return heal
