"""The main process stands still for so long that another worker takes over what it has; then it goes on."""

import signal
from collections.abc import Callable

from assay.cluster import Cluster
from assay.errors import HarnessError
from assay.gate import Waiting
from assay.worker import Worker

FAULT = "SIGSTOP past visibility"


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> Callable[[], None]:
    with cluster.striking(FAULT, held.held.invocation, worker):
        worker.pause()
        try:
            other = cluster.replace(worker, clock_offset_s=cluster.takes_over_s(worker))
        except HarnessError:
            worker.resume()
            raise
    held.release()

    def heal() -> None:
        worker.resume()
        if other.alive():
            cluster.stop_worker(other, signal.SIGTERM)
        cluster.healed(FAULT, worker)

    return heal
