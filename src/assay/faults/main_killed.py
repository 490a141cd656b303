"""The main process is killed, and its children with it."""

from assay.cluster import Cluster
from assay.faults.strike import IN_CHILD, Fault
from assay.gate import Waiting
from assay.worker import Worker


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> None:
    cluster.kill_worker(worker, held)


FAULT = Fault("SIGKILL main", inject, IN_CHILD)
