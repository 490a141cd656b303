"""A pool child is killed where the attempt stands."""

from assay.cluster import Cluster
from assay.gate import Waiting
from assay.worker import Worker

FAULT = "SIGKILL child"


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> None:
    cluster.kill_child(held)
