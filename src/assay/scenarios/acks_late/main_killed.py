"""The worker's main process is killed, or its whole group: nobody is left to give the message back."""

from collections.abc import Callable

from assay.checkers import Attempts, Delivery, Evidence, Ledgers
from assay.event import Point
from assay.scaling import Target
from assay.scenario import EVERY_POOL, PREFORK, scenario
from assay.stage import Stage

IN_MAIN = {
    Point.RECEIVED: "when it has received the message and not yet handed it on",
    Point.ACCEPTED: "when the pool has accepted the task",
    Point.EARLY_ACKED: "just after the early acknowledgement",
    Point.BEFORE_ACK: "just before the late acknowledgement",
    Point.AFTER_ACK: "just after the late acknowledgement",
}


def kill_at(point: Point, *, group: bool = False) -> Callable[[Stage], None]:
    def act(stage: Stage) -> None:
        contract = stage.contract(child_lost=False)
        worker = stage.worker()
        # where main stands while a child has the task, the child stands too: what it has done is then certain
        beside = (Point.BODY_MIDDLE,) if point in (Point.ACCEPTED, Point.EARLY_ACKED) else ()
        invocation = stage.publish(hold=(point, *beside))
        for each in beside:
            stage.hold(invocation, each)
        held = stage.hold(invocation, point)
        if point == Point.BODY_MIDDLE:
            stage.acknowledged_early(invocation)
        stage.cluster.kill_worker(worker, held, group=group)
        stage.replacement()
        stage.settle()
        ids = [invocation]
        stage.check(
            Delivery(contract=contract.delivery, ids=ids), Attempts(ids=ids, least=0, most=2), Evidence(landed=1)
        )
        if contract.completes:
            stage.check(Ledgers(ids=ids))

    return act


def reaches(point: Point) -> Callable[[Target], bool]:
    early, late = point == Point.EARLY_ACKED, point in (Point.BEFORE_ACK, Point.AFTER_ACK)
    return lambda target: not (early and target.task.acks_late) and not (late and not target.task.acks_late)


for each, words in IN_MAIN.items():
    scenario(
        "acks_late",
        name=f"main_killed_{each}",
        fault="SIGKILL main",
        when=reaches(each),
        pools=PREFORK,
        doc=f"The main process is killed {words}.",
    )(kill_at(each))

scenario(
    "acks_late",
    name="main_killed_middle",
    fault="SIGKILL main",
    pools=EVERY_POOL,
    doc="The main process is killed while a body runs.",
)(kill_at(Point.BODY_MIDDLE))

scenario(
    "acks_late",
    name="group_killed_middle",
    fault="SIGKILL group",
    pools=EVERY_POOL,
    doc="Main process and children are killed at once while a body runs.",
)(kill_at(Point.BODY_MIDDLE, group=True))
