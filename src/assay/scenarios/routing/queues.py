"""Each task travels by its own queue and is found by the workers that consume it."""

from assay.checkers import Delivery, Evidence, Isolation, Routing, Undeclared
from assay.event import Kind, Point
from assay.scaling import Target
from assay.scenario import EVERY_POOL, scenario
from assay.script import Act
from assay.stage import Stage

WATCH_S = 2.0


def other_queues(target: Target) -> list[str]:
    """The queues of the app's other tasks, and those that a worker consumes by itself."""
    names = {task.queue for task in target.subject.tasks if task.queue} | set(target.subject.queues)
    return sorted(names - {target.task.queue, *target.subject.fanouts})


def several(target: Target) -> bool:
    return bool(target.task.queue and other_queues(target))


def claim(stage: Stage, promise: str, remedy: str = "") -> None:
    setting = "task_routes" if stage.subject.setting("task_routes") else "task_default_queue"
    stage.claims(setting, promise, remedy)


def table(stage: Stage) -> dict[str, str]:
    return {task.name: task.queue for task in stage.subject.tasks}


@scenario("routing", fault="none", pools=EVERY_POOL, weight_s=2.0)
def consumed(stage: Stage) -> None:
    """A worker that is started without -Q consumes the task's queue."""
    queue = stage.task.queue
    claim(
        stage,
        f"queue {queue} has a consumer when a worker is started as usual",
        f"declare {queue} in task_queues, or start the workers with -Q {queue} and say so in [tool.assay] queues",
    )
    stage.worker(queues=stage.usual_queues)
    invocation = stage.publish()
    stage.settle(8.0 if queue in (stage.usual_queues or stage.subject.queues) else WATCH_S)
    stage.check(Delivery(contract="effectively_once", ids=[invocation]))


def has_queue(target: Target) -> bool:
    return target.task.contract.queue is not None


@scenario("routing", fault="none", when=has_queue, pools=EVERY_POOL, weight_s=2.0)
def queue_of_contract(stage: Stage) -> None:
    """The task arrives by the queue that its contract names, at a worker that is started as usual."""
    due, queue = stage.task.contract.queue or "", stage.task.queue
    stage.requires(
        "queue",
        f"the task goes by queue {due}, and is consumed there",
        f"start the workers with -Q {due} and say so in [tool.assay] queues, or declare it in task_queues"
        if queue == due
        else f"route the task to {due} in task_routes, and let workers consume it",
    )
    stage.worker(queues=stage.usual_queues)
    invocation = stage.publish()
    stage.settle(8.0 if queue in (stage.usual_queues or stage.subject.queues) else WATCH_S)
    stage.check(
        Routing(queues={stage.task.name: due}),
        Delivery(contract="effectively_once", ids=[invocation]),
    )


@scenario("routing", fault="none", when=several, weight_s=2.0)
def own_queue(stage: Stage) -> None:
    """With a worker for the task's queue and one for all others, only the first one gets the task."""
    claim(stage, f"the task goes to {stage.task.queue} and nowhere else")
    own, others = [stage.task.queue], other_queues(stage.target)
    stage.worker(queues=own, concurrency=1)
    stage.worker(queues=others, concurrency=1)
    ids = stage.publish_many(4)
    stage.settle()
    stage.check(
        Routing(queues=table(stage), consumers={"w1": own, "w2": others}),
        Delivery(contract="effectively_once", ids=ids),
    )


def redelivered(target: Target) -> bool:
    task = target.task
    return several(target) and (task.acks_late or task.reject_on_worker_lost or task.retry_on_worker_lost)


@scenario("routing", fault="SIGKILL child", when=redelivered, weight_s=6.0)
def redelivery_stays(stage: Stage) -> None:
    """A child is killed: the redelivered or retried message is on the same queue."""
    contract = stage.contract()
    own, others = [stage.task.queue], other_queues(stage.target)
    stage.worker(queues=own, concurrency=1)
    stage.worker(queues=others, concurrency=1)
    invocation = stage.publish(hold=Point.BODY_MIDDLE)
    stage.kill_child_at(invocation, Point.BODY_MIDDLE)
    stage.settle()
    if stage.starts(invocation) > 1:  # one that is lost breaks the promise of delivery, not that of routing
        claim(stage, "a redelivered message stays on its queue", contract.remedy)
    stage.check(
        Routing(queues=table(stage), consumers={"w1": own, "w2": others}),
        Delivery(contract=contract.delivery, ids=[invocation]),
        Evidence(landed=1),
    )


@scenario("routing", fault="a clogged queue", when=several, weight_s=3.0)
def clogged_queue(stage: Stage) -> None:
    """Other queues are full of slow tasks: with a worker for each, the task's own queue is not delayed."""
    claim(stage, "a clogged queue delays no other that has a worker of its own")
    own, others = [stage.task.queue], other_queues(stage.target)
    stage.worker(queues=others, concurrency=1)
    stage.worker(queues=own, concurrency=1)
    # by messages of the task itself: another one's base class may want arguments before it lets a body run
    clog = [stage.publish(Act(work_s=0.4), queue=others[0]) for _ in range(6)]
    stage.lands(clog[0], lambda event: event.kind == Kind.BODY_ENTERED)
    quick = stage.publish_many(3)
    stage.settle()
    stage.check(Isolation(ids=quick, within_s=2.0), Delivery(contract="effectively_once", ids=[*clog, *quick]))


def strict(target: Target) -> bool:
    return not target.subject.create_missing_queues


@scenario("routing", fault="misspelt queue", when=strict, pools=EVERY_POOL)
def undeclared_queue(stage: Stage) -> None:
    """A message for a queue that nobody declared is refused when it is published."""
    stage.claims("task_create_missing_queues", "a misspelt queue fails at publish")
    invocation = stage.cluster.publish(stage.task.name, queue=f"{stage.task.queue}_misspelt")
    stage.settle()
    stage.check(Undeclared(ids=[invocation]))
