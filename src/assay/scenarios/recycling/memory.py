"""worker_max_memory_per_child: a child that has grown beyond it is replaced after its task."""

from assay.checkers import Delivery, Recycling
from assay.event import Kind
from assay.scaling import Target, memory, memory_per_child
from assay.scenario import scenario
from assay.script import Act
from assay.stage import Stage


def grows(target: Target) -> bool:
    return bool(target.subject.max_memory_per_child)


@scenario("recycling", fault="memory", when=grows, scale=memory, weight_s=12.0)
def memory_limit(stage: Stage) -> None:
    """Each task grows its child beyond the limit: each child runs one, and nothing is lost."""
    stage.check(Delivery(contract="effectively_once", ids=outgrow(stage)))


@scenario("recycling", fault="memory", when=grows, pools=("solo", "threads"), scale=memory, weight_s=3.0)
def memory_limit_in_this_pool(stage: Stage) -> None:
    """Each task grows its process beyond the limit, in a pool that has no child to replace."""
    outgrow(stage)
    stage.remedy = "use --pool=prefork: the solo and threads pools ignore it"


def outgrow(stage: Stage) -> list[str]:
    """Three tasks, each of which takes more than the limit of the run; the promise is told as it is configured."""
    mib, real = (stage.subject.max_memory_per_child or 0) // 1024, memory_per_child(stage.target) // 1024
    here = f" ({real} in the run)" if real != mib else ""
    stage.claims(
        "worker_max_memory_per_child", f"a child that has grown beyond {mib} MiB{here} is replaced after its task"
    )
    stage.worker(concurrency=1)
    ids = stage.publish_many(3, Act(memory_mib=real + 16))
    stage.lands(ids[0], lambda event: event.kind == Kind.EFFECT)
    stage.settle(40.0)
    stage.check(Recycling(most=1, outgrown=True))
    return ids
