"""Nothing: the skeleton of a fault. The attempt is let go."""

from assay.cluster import Cluster
from assay.gate import Waiting
from assay.worker import Worker

FAULT = "none"


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> None:
    held.release()
