"""The main process stands still for a while: a machine that swaps, a container that is frozen."""

from collections.abc import Callable

from assay.cluster import Cluster
from assay.gate import Waiting
from assay.worker import Worker

FAULT = "SIGSTOP"


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> Callable[[], None]:
    cluster.pause_worker(worker, held.held.invocation)
    held.release()
    return lambda: cluster.resume_worker(worker)
