"""The main process stands still for a while: a machine that swaps, a container that is frozen."""

from assay.cluster import Cluster
from assay.faults.strike import Fault, Heal
from assay.gate import Waiting
from assay.worker import Worker


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> Heal:
    cluster.pause_worker(worker, held.held.invocation)
    held.release()
    return lambda: cluster.resume_worker(worker)


FAULT = Fault("SIGSTOP", inject, lasts_s=(0.2, 1.5))
