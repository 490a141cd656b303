"""The result backend answers nobody for a while, from the moment in which the attempt stores its result."""

from collections.abc import Callable

from assay.cluster import Cluster
from assay.errors import HarnessError
from assay.gate import Waiting
from assay.outage import Locked, Outage, Paused
from assay.worker import Worker

FAULT = "results away"
FELT_S = 3.0  # less than any wait for a lock


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> Callable[[], None]:
    invocation, outage = held.held.invocation, away(cluster)
    with cluster.striking(FAULT, invocation, worker, target=held.pid):
        outage.begin()
        held.release()
        if not cluster.wait(lambda: outage.felt(held.pid), timeout_s=FELT_S):
            outage.end()
            raise HarnessError("its attempt stored no result that it had to wait for")

    def heal() -> None:
        outage.end()
        cluster.healed(FAULT, worker)

    return heal


def away(cluster: Cluster) -> Outage:
    return Paused(cluster.results) if cluster.results else Locked(cluster.redirection.databases.values())
