"""The ways in which a deployment stops a worker, with work in flight and with work waiting behind it."""

from signal import SIGQUIT, SIGTERM

from assay.checkers import Attempts, Delivery, Evidence, Ledgers
from assay.event import Point
from assay.scaling import Target, shutdowns
from assay.scenario import EVERY_POOL, scenario, sigterm_is_warm
from assay.script import Act
from assay.stage import Stage


@scenario("acks_late", fault="SIGTERM", when=sigterm_is_warm, pools=EVERY_POOL, weight_s=3.0)
def warm_shutdown(stage: Stage) -> None:
    """SIGTERM: what runs ends, what waits goes to the next worker, nothing runs twice."""
    stage.claims("warm shutdown", "what runs is finished, what is reserved goes back to its queue")
    worker = stage.worker(concurrency=1)
    flying = stage.publish(hold=Point.BODY_MIDDLE)
    standing = stage.hold(flying, Point.BODY_MIDDLE)
    waiting = stage.publish_many(3)
    stage.at_rest()
    stage.signal(worker, SIGTERM, flying)
    standing.release()
    stage.wait_stopped(worker)
    stage.take_over()
    stage.check(
        Delivery(contract="effectively_once", ids=[flying, *waiting]),
        Attempts(ids=[flying, *waiting], most=1),
        Evidence(landed=1),
    )


@scenario("acks_late", fault="SIGQUIT", pools=EVERY_POOL, scale=shutdowns, weight_s=4.0)
def cold_shutdown(stage: Stage) -> None:
    """SIGQUIT: what runs is given up at once and goes to the next worker, with what waits."""
    contract = stage.contract(child_lost=False)
    worker = stage.worker(concurrency=1)
    flying = stage.publish(hold=Point.BODY_MIDDLE)
    standing = stage.hold(flying, Point.BODY_MIDDLE)
    waiting = stage.publish_many(3)
    stage.at_rest()
    stage.signal(worker, SIGQUIT, flying)
    if stage.target.pool == "threads":
        standing.release()  # no thread can be given up: the worker waits for its body
    stage.wait_stopped(worker)
    standing.release()
    stage.take_over()
    stage.check(
        Delivery(contract=contract.delivery, ids=[flying]),
        Delivery(contract="at_least_once", ids=waiting),
        Attempts(ids=[flying, *waiting], most=2),
        Evidence(landed=1),
    )
    if contract.completes:
        stage.check(Ledgers(ids=[flying, *waiting]))


def has_soft_shutdown(target: Target) -> bool:
    return target.subject.soft_shutdown_timeout > 0


@scenario("acks_late", fault="SIGQUIT", when=has_soft_shutdown, scale=shutdowns, weight_s=4.0)
def soft_shutdown(stage: Stage) -> None:
    """SIGQUIT with worker_soft_shutdown_timeout: a short task ends within the grace, a long one goes back."""
    contract = stage.contract(child_lost=False)
    worker = stage.worker(concurrency=2)
    short = stage.publish(hold=Point.BODY_MIDDLE)
    ending = stage.hold(short, Point.BODY_MIDDLE)
    long = stage.publish(Act(work_s=60.0), Act(), hold=Point.BODY_ENTER)
    going = stage.hold(long, Point.BODY_ENTER)
    going.release()
    stage.signal(worker, SIGQUIT, long)
    ending.release()
    stage.wait_stopped(worker)
    stage.claims(
        "worker_soft_shutdown_timeout",
        "a task that ends within the grace ends, a longer one goes back",
        contract.remedy,
    )
    stage.take_over()
    stage.check(
        Delivery(contract="effectively_once", ids=[short]),
        Attempts(ids=[short], most=1),
        Delivery(contract=contract.delivery, ids=[long]),
        Attempts(ids=[long], most=2),
        Evidence(landed=1),
    )


@scenario("acks_late", fault="SIGTERM, then SIGKILL", pools=EVERY_POOL, weight_s=2.0)
def grace_period_over(stage: Stage) -> None:
    """SIGTERM, and SIGKILL to all while the task still runs: as at the end of a container whose grace is over."""
    contract = stage.contract(child_lost=False)
    worker = stage.worker(concurrency=1)
    flying = stage.publish(hold=Point.BODY_MIDDLE)
    standing = stage.hold(flying, Point.BODY_MIDDLE)
    waiting = stage.publish_many(3)
    stage.at_rest()
    stage.signal(worker, SIGTERM, flying)
    stage.cluster.kill_worker(worker, standing, group=True)
    stage.replacement()
    stage.settle()
    stage.check(
        Delivery(contract=contract.delivery, ids=[flying]),
        Delivery(contract="at_least_once", ids=waiting),
        Attempts(ids=[flying, *waiting], most=2),
        Evidence(landed=2),
    )
    if contract.completes:
        stage.check(Ledgers(ids=[flying, *waiting]))
