"""The remote control command pool_restart."""

from assay.checkers import Attempts, Delivery, Restarted
from assay.checkers.recycling import RESTART
from assay.event import Kind, Point
from assay.scaling import Target
from assay.scenario import EVERY_POOL, scenario
from assay.stage import Stage
from assay.worker import Worker

ANSWER_S = 5.0


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
    ids = []
    if stage.target.pool == "prefork":
        ids = [stage.publish(hold=Point.BODY_MIDDLE)]
        standing = stage.hold(ids[0], Point.BODY_MIDDLE)
    restart(stage, worker)
    if stage.target.pool == "prefork":
        standing.release()
        stage.settle(40.0)  # the attempt that was open may end in the old process
    ids += stage.publish_many(3)
    stage.settle(40.0)
    stage.check(Restarted(before=before), Delivery(contract="at_least_once", ids=ids), Attempts(ids=ids, most=2))


def restart(stage: Stage, worker: Worker) -> None:
    """Ask the worker for it. Landed when it has answered and, where there is something to restart, has done it."""
    cluster = stage.cluster
    cluster.record(Kind.FAULT_INJECTED, worker=worker.name, fault=RESTART)
    replies = cluster.client.ask(
        "control",
        command="pool_restart",
        arguments={"reload": False},
        timeout_s=ANSWER_S,
        destination=[f"{worker.name}@assay"],
    )
    answers = [answer for reply in replies or () for answer in reply.values()]
    if any("ok" in answer for answer in answers):
        cluster.wait(lambda: any(event.kind == Kind.POOL_RESTARTED for event in cluster.seen), timeout_s=ANSWER_S)
        cluster.record(Kind.FAULT_LANDED, worker=worker.name, fault=RESTART)
