"""worker_max_tasks_per_child: exact, replaced, and nothing lost or doubled at the boundary."""

from assay.checkers import Bystanders, Delivery, Evidence, Recycling
from assay.event import Kind, Point
from assay.scaling import Target, recycling, tasks_per_child
from assay.scenario import scenario
from assay.script import RECYCLING, Act
from assay.stage import Stage

LOAD = 500
SETTLE_S = 75.0


def recycles(target: Target) -> bool:
    return bool(target.subject.max_tasks_per_child)


def most(stage: Stage) -> int:
    """How many tasks a child may run here; the promise is told as it is configured."""
    number, real = stage.subject.max_tasks_per_child, tasks_per_child(stage.target)
    here = f" ({real} in the run)" if real != number else ""
    stage.claims("worker_max_tasks_per_child", f"a child runs {number} tasks{here} and is replaced")
    return real


@scenario("recycling", fault="none (under load)", when=recycles, scale=recycling, weight_s=30.0)
def exact_under_load(stage: Stage) -> None:
    """500 tasks: no child runs too many, each is replaced, no task is lost or doubled."""
    number = most(stage)
    stage.worker(concurrency=2)
    ids = stage.publish_many(LOAD, scripted=False)
    stage.settle(SETTLE_S)
    stage.check(Recycling(most=number), Delivery(contract="effectively_once", ids=ids))


@scenario("recycling", fault="SIGKILL child", when=recycles, scale=recycling, weight_s=12.0)
def killed_while_recycled(stage: Stage) -> None:
    """A child is killed while it leaves after its last task."""
    number = most(stage)
    stage.hold_recycling(True)
    stage.worker(concurrency=1)
    ids = stage.publish_many(number + 5, scripted=False)
    stage.kill_child_at(RECYCLING, Point.RECYCLING, timeout_s=30.0)
    stage.hold_recycling(False)
    stage.settle(SETTLE_S)
    stage.check(Recycling(most=number), Bystanders(ids=ids), Evidence(landed=1, in_flight=False))


@scenario(
    "recycling",
    fault="large results",
    when=lambda target: recycles(target) and target.stores_results,
    scale=recycling,
    weight_s=12.0,
)
def large_results_at_the_boundary(stage: Stage) -> None:
    """The last tasks of a child return large results; each arrives."""
    number = most(stage)
    stage.worker(concurrency=1)
    ids = stage.publish_many(number - 1, scripted=False) if number > 1 else []
    large = stage.publish_many(3, Act(result_bytes=300_000))
    ids += large
    stage.lands(large[0], lambda event: event.kind == Kind.RESULT_STORED, SETTLE_S)
    stage.settle(SETTLE_S)
    stage.check(Recycling(most=number), Delivery(contract="effectively_once", ids=ids))


@scenario("recycling", fault="none (under load)", when=recycles, pools=("solo", "threads"), scale=recycling)
def recycling_in_this_pool(stage: Stage) -> None:
    """More tasks than a process may run, in a pool that has no child to replace."""
    number = most(stage)
    stage.remedy = "use --pool=prefork: the solo and threads pools ignore it"
    stage.worker()
    stage.publish_many(number + 5, scripted=False)
    stage.settle(SETTLE_S)
    stage.check(Recycling(most=number))
