"""Nothing arrives on the connections of the main process to the broker, for a while, and nobody is told."""

from collections.abc import Callable

from assay.cluster import Cluster
from assay.gate import Waiting
from assay.landing import BLACK_HOLE
from assay.worker import Worker

FAULT = BLACK_HOLE


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> Callable[[], None]:
    heal = cluster.swallow(worker, held.held.invocation)
    held.release()
    return heal
