"""worker_max_memory_per_child: a child that has grown beyond it is replaced after its task."""

from assay.checkers import Delivery, Recycling
from assay.event import Kind
from assay.scaling import Target
from assay.scenario import scenario
from assay.script import Act
from assay.stage import Stage

MOST_MIB = 1024


def limited(target: Target) -> bool:
    kib = target.subject.max_memory_per_child
    return kib is not None and kib // 1024 < MOST_MIB


@scenario("recycling", fault="memory", when=limited, weight_s=12.0)
def memory_limit(stage: Stage) -> None:
    """Each task grows its child beyond the limit: each child runs one, and nothing is lost."""
    mib = (stage.subject.max_memory_per_child or 0) // 1024
    stage.claims("worker_max_memory_per_child", f"a child that has grown beyond {mib} MiB is replaced after its task")
    stage.worker(concurrency=1)
    ids = stage.publish_many(3, Act(memory_mib=mib + 16))
    stage.lands(ids[0], lambda event: event.kind == Kind.EFFECT)
    stage.settle(40.0)
    stage.check(Recycling(most=1), Delivery(contract="effectively_once", ids=ids))
