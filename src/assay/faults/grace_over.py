"""Warm shutdown, and SIGKILL to all while the attempt still runs: the end of a container's grace."""

import signal

from assay.cluster import Cluster
from assay.gate import Waiting
from assay.worker import Worker

FAULT = "SIGTERM, then SIGKILL"


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> None:
    cluster.stop_worker(worker, signal.SIGTERM)
    cluster.kill_worker(worker, held, group=True, fault="SIGTERM, then SIGKILL")
