"""The result backend answers nobody for a while, from the moment in which the attempt stores its result."""

from collections.abc import Callable

from assay.cluster import Cluster
from assay.errors import HarnessError
from assay.gate import Waiting
from assay.outage import Locked, Outage, Paused
from assay.worker import Worker

FAULT = "results away"


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> Callable[[], None]:
    invocation, outage = held.held.invocation, away(cluster)
    with cluster.striking(FAULT, invocation, worker, target=held.pid):
        outage.begin()
        held.release()
        if not cluster.wait(lambda: outage.felt(held.pid), timeout_s=outage.felt_within_s):
            outage.end()
            raise HarnessError("its attempt stored no result that it had to wait for")

    def heal() -> None:
        outage.end()
        cluster.healed(FAULT, worker)

    return heal


def away(cluster: Cluster) -> Outage:
    if cluster.results:
        return Paused(cluster.results)
    if not cluster.redirection.databases:
        raise HarnessError("the results are on no server of their own, and in no database")
    return Locked(cluster.redirection.databases.values())
