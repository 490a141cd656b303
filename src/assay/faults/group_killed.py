"""Main process and children are killed at once, as a container is."""

from assay.cluster import Cluster
from assay.gate import Waiting
from assay.worker import Worker

FAULT = "SIGKILL group"


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> None:
    cluster.kill_worker(worker, held, group=True)
