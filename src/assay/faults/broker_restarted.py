"""The broker is killed and comes back at the same address with what it had confirmed."""

from contextlib import ExitStack

from assay.broker import OwnBroker
from assay.cluster import Cluster
from assay.gate import Waiting
from assay.worker import Worker

FAULT = "broker restarted"


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> None:
    if isinstance(cluster.broker, OwnBroker):
        cluster.broker.keep_data()
    with ExitStack() as still:  # or it may take a message with it that is on its way to one of them
        for each in cluster.serving():
            still.enter_context(cluster.standing_still(each))
        cluster.restart_broker(held.held.invocation)
    held.release()
