"""The remote control command pool_restart."""

from assay.checkers import Attempts, Delivery, Restarted
from assay.event import Point
from assay.scaling import Target
from assay.scenario import EVERY_POOL, scenario
from assay.stage import Stage


def restarts(target: Target) -> bool:
    return target.subject.pool_restarts


@scenario("recycling", fault="pool_restart", when=restarts, pools=EVERY_POOL, weight_s=8.0)
def pool_restart(stage: Stage) -> None:
    """Children are replaced on request; what runs ends, what waits runs afterwards."""
    stage.claims(
        "worker_pool_restarts",
        "pool_restart replaces the pool's processes",
        "use --pool=prefork: other pools answer ok and do nothing",
    )
    worker = stage.worker(concurrency=1)
    before = stage.pool_processes(worker)
    cluster = stage.cluster
    if stage.target.pool == "prefork":
        flying = stage.publish(hold=Point.BODY_MIDDLE)
        standing = stage.hold(flying, Point.BODY_MIDDLE)
        waiting = stage.publish_many(3)
        cluster.client.ask(
            "control",
            command="pool_restart",
            arguments={"reload": False},
            timeout_s=2.0,
            destination=[f"{worker.name}@assay"],
        )
        standing.release()
        ids = [flying, *waiting]
    else:
        cluster.client.ask(
            "control",
            command="pool_restart",
            arguments={"reload": False},
            timeout_s=2.0,
            destination=[f"{worker.name}@assay"],
        )
        ids = stage.publish_many(3)
    stage.settle(40.0)
    stage.check(Restarted(before=before), Delivery(contract="at_least_once", ids=ids), Attempts(ids=ids, most=2))
