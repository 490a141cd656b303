"""worker_deduplicate_successful_tasks: what comes back with its success stored is not run again."""

from assay.checkers import Attempts, Delivery, Evidence
from assay.event import Point
from assay.scaling import Target
from assay.scenario import scenario
from assay.stage import Stage


def deduplicates(target: Target) -> bool:
    """Source: celery/app/trace.py, build_tracer: late acknowledgement, and results that another worker can read."""
    subject = target.subject
    return subject.deduplicates and target.task.acks_late and target.stores_results and subject.result_backend != "rpc"


@scenario("acks_late", fault="SIGKILL main", when=deduplicates)
def done_is_not_run_again(stage: Stage) -> None:
    """The main process is killed when a success is stored and not acknowledged: what comes back is not run again."""
    stage.claims("worker_deduplicate_successful_tasks", "what has succeeded is not run a second time")
    worker = stage.worker()
    invocation = stage.publish(hold=Point.BEFORE_ACK)
    held = stage.hold(invocation, Point.BEFORE_ACK)
    stage.cluster.kill_worker(worker, held)
    stage.replacement()
    stage.settle()
    stage.check(
        Attempts(ids=[invocation], least=1, most=1),
        Delivery(contract="at_least_once", ids=[invocation]),
        Evidence(landed=1),
    )
