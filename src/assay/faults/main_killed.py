"""The main process is killed, and its children with it."""

from assay.cluster import Cluster
from assay.gate import Waiting
from assay.worker import Worker

FAULT = "SIGKILL main"


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> None:
    cluster.kill_worker(worker, held)
