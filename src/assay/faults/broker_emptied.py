"""The broker is killed and comes back at the same address with nothing, as one without persistence does."""

from assay.cluster import Cluster
from assay.fault import BROKER_EMPTIED
from assay.gate import Waiting
from assay.worker import Worker

FAULT = BROKER_EMPTIED


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> None:
    with cluster.all_standing_still():
        cluster.restart_broker(held.held.invocation, fault=FAULT, with_data=False)
    held.release()
