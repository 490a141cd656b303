"""The blast radius of a lost child: the task in the child beside it, and those that wait."""

from assay.checkers import Bystanders, Delivery, Evidence
from assay.event import Point
from assay.scenario import scenario
from assay.stage import Stage


@scenario("acks_late", fault="SIGKILL child", weight_s=5.0)
def bystanders(stage: Stage) -> None:
    """One of two children is killed; the other one's task and the waiting ones are not hurt."""
    contract = stage.contract()
    stage.worker(concurrency=2)
    victim = stage.publish(hold=Point.BODY_MIDDLE)
    standing = stage.hold(victim, Point.BODY_MIDDLE)
    beside = stage.publish(hold=Point.BODY_MIDDLE)
    neighbour = stage.hold(beside, Point.BODY_MIDDLE)
    waiting = stage.publish_many(4)
    stage.cluster.kill_child(standing)
    neighbour.release()
    stage.settle()
    stage.check(
        Delivery(contract=contract.delivery, ids=[victim]), Bystanders(ids=[beside, *waiting]), Evidence(landed=1)
    )
