"""The broker is killed and comes back at the same address with what it had confirmed."""

from assay.broker import OwnBroker
from assay.cluster import Cluster
from assay.gate import Waiting
from assay.worker import Worker

FAULT = "broker restarted"


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> None:
    if isinstance(cluster.broker, OwnBroker):
        cluster.broker.keep_data()
    with cluster.all_standing_still():
        cluster.restart_broker(held.held.invocation)
    held.release()
