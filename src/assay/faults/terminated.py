"""Warm shutdown: what runs may end."""

import signal

from assay.cluster import Cluster
from assay.gate import Waiting
from assay.worker import Worker

FAULT = "SIGTERM"


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> None:
    cluster.signal_worker(worker, signal.SIGTERM, held.held.invocation)
    held.release()
