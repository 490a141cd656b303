"""A pool child is killed where the attempt stands."""

from assay.cluster import Cluster
from assay.faults.strike import IN_CHILD, Fault
from assay.gate import Waiting
from assay.worker import Worker


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> None:
    cluster.kill_child(held)


FAULT = Fault("SIGKILL child", inject, IN_CHILD, takes_child=True)
