"""All connections of the main process to the broker are aborted."""

from assay.cluster import Cluster
from assay.gate import Waiting
from assay.worker import Worker

FAULT = "connection reset"


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> None:
    cluster.break_connections(worker, "reset", held.held.invocation)
    cluster.wait_noticed(worker)
    held.release()
