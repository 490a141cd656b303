"""Cold or soft shutdown: what runs is given up."""

import signal

from assay.cluster import Cluster
from assay.gate import Waiting
from assay.worker import Worker

FAULT = "SIGQUIT"


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> None:
    cluster.signal_worker(worker, signal.SIGQUIT, held.held.invocation)
    held.release()
