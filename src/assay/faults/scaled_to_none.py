"""All workers are told to stop, and none is there for a while: an autoscaler that goes down to none."""

import signal
from collections.abc import Callable

from assay.cluster import Cluster
from assay.gate import Waiting
from assay.worker import Worker

FAULT = "scaled to none"


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> Callable[[], None]:
    with cluster.striking(FAULT, held.held.invocation, worker):
        for each in cluster.must_serve():
            cluster.stop_worker(each, signal.SIGTERM)
    held.release()
    return lambda: cluster.healed(FAULT, worker)
