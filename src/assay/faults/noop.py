"""Nothing: the skeleton of a fault. The attempt is let go."""

from assay.cluster import Cluster
from assay.faults.strike import Fault
from assay.gate import Waiting
from assay.worker import Worker


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> None:
    held.release()


FAULT = Fault("none", inject)
