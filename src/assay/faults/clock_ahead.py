"""One more worker joins whose clock is ahead: to it, what the others have unacknowledged has been so for too long."""

import signal
from collections.abc import Callable

from assay.cluster import Cluster
from assay.gate import Waiting
from assay.worker import Worker

FAULT = "clock ahead"


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> Callable[[], None]:
    with cluster.striking(FAULT, held.held.invocation, worker):
        ahead = cluster.replace(worker, clock_offset_s=cluster.takes_over_s(worker))
    held.release()

    def heal() -> None:
        if ahead.alive():
            cluster.stop_worker(ahead, signal.SIGTERM)
        cluster.healed(FAULT, ahead)

    return heal
