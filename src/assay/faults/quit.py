"""Cold or soft shutdown: what runs is given up."""

import signal

from assay.cluster import Cluster
from assay.faults.strike import Fault
from assay.gate import Waiting
from assay.worker import Worker


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> None:
    cluster.signal_worker(worker, signal.SIGQUIT, held.held.invocation)
    held.release()


FAULT = Fault("SIGQUIT", inject)
