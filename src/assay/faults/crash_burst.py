"""A burst of poison: more invocations of the task arrive, and the first attempt of each ends its own process."""

from assay.cluster import Cluster
from assay.errors import HarnessError
from assay.event import Event, Kind
from assay.fault import CRASH_BURST
from assay.gate import Waiting
from assay.script import Act, Script
from assay.worker import Worker

FAULT = CRASH_BURST
BURST = 5
WITHIN_S = 10.0
POISON = Script(acts=(Act(ends="os_exit"), Act()))


def inject(cluster: Cluster, worker: Worker, held: Waiting) -> None:
    task = cluster.invocations[held.held.invocation]
    held.release()  # its child may take some of them
    with cluster.hearing(Kind.CHILD_LOST) as lost:
        burst = set(cluster.publish_many([(task, POISON)] * BURST))
        for invocation in burst:
            cluster.record(Kind.FAULT_INJECTED, invocation, task, fault=FAULT)
        told = cluster.wait(lambda: burst <= {each.invocation for each in lost if crashed(each)}, timeout_s=WITHIN_S)
    for event in lost:
        if event.invocation in burst and crashed(event):
            burst.remove(event.invocation)
            child = event.detail.get("child")
            cluster.record(
                Kind.FAULT_LANDED, event.invocation, task, event.worker, fault=FAULT, target=child, signal="exit"
            )
    if not told:
        raise HarnessError(f"{len(burst)} of {BURST} children were not lost within {WITHIN_S:g} s")


def crashed(event: Event) -> bool:
    """Whether it had begun with the task: what a child that is replaced has not begun is another one's."""
    return not event.detail.get("handed_on")
