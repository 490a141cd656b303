"""The kernel's out-of-memory killer ends the child: it is over its memory limit with its next page."""

from assay.cluster import Cluster
from assay.errors import HarnessError
from assay.gate import Waiting
from assay.memory_limit import MemoryLimit
from assay.process import gone
from assay.worker import Worker

FAULT = "out of memory"
WITHIN_S = 10.0


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> None:
    with (
        MemoryLimit() as limit,
        cluster.striking(FAULT, held.held.invocation, worker, target=held.pid, signal="SIGKILL", point=held.held.point),
    ):
        limit.put(held.pid)
        held.release()
        if not gone(held.pid, WITHIN_S) or not limit.killed():
            raise HarnessError(f"the kernel did not kill process {held.pid}, which is over its memory limit")
