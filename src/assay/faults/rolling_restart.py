"""A deployment: one after another, each worker is followed by a new one and told to stop."""

import signal

from assay.cluster import Cluster
from assay.gate import Waiting
from assay.worker import Worker

FAULT = "rolling restart"


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> None:
    with cluster.striking(FAULT, held.held.invocation, worker):
        for each in cluster.must_serve():
            cluster.replace(each)
            cluster.stop_worker(each, signal.SIGTERM)
    held.release()
