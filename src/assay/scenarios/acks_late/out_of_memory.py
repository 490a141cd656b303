"""What the kernel's OOM killer does: SIGKILL, from nowhere, to the process that grew."""

from assay.checkers import Attempts, Delivery, Evidence, Ledgers
from assay.scenario import scenario
from assay.script import Act
from assay.stage import Stage


@scenario("acks_late", fault="SIGKILL by the kernel", weight_s=5.0)
def out_of_memory_kill(stage: Stage) -> None:
    """A child takes memory and is killed for it; the next attempt is modest."""
    contract = stage.contract()
    stage.worker()
    invocation = stage.publish(Act(memory_mib=64, ends="kill_self"), Act())
    stage.landed_by_itself(invocation, "out of memory")
    stage.settle()
    ids = [invocation]
    stage.check(Delivery(contract=contract.delivery, ids=ids), Attempts(ids=ids, most=2), Evidence(landed=1))
    if contract.completes:
        stage.check(Ledgers(ids=ids))
