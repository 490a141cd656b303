"""A task that kills its worker every time: it must end, and its neighbours must live."""

from collections.abc import Callable

from assay.checkers import Attempts, Delivery, Evidence, FinalState
from assay.contract import most_attempts
from assay.scenario import scenario
from assay.script import Act
from assay.stage import Stage


def poison(*acts: Act) -> Callable[[Stage], None]:
    def act(stage: Stage) -> None:
        task = stage.task
        bound = most_attempts(task)
        setting = (
            "task_reject_on_worker_lost" if task.reject_on_worker_lost else "task_acks_late" if task.acks_late else ""
        )
        stage.claims(
            setting,
            f"a task that kills its worker every time ends, after {bound} attempts at the most",
            "set task_retry_on_worker_lost=True (Celery 5.7), which counts lost workers as retries, "
            "or count deliveries in the task's base class",
        )
        stage.worker()
        invocation = stage.publish(*acts)
        neighbours = stage.publish_many(3)
        stage.settle(60.0, enough=lambda: stage.starts(invocation) > bound)
        stage.cluster.record_landed_deaths(invocation, "poison task")
        stage.check(
            Attempts(ids=[invocation], most=bound),
            Delivery(contract="at_least_once", ids=neighbours),
            Evidence(landed=1, in_flight=False, settled=False),
        )
        if stage.target.stores_results:
            stage.check(FinalState(ids=[invocation], states=["FAILURE"]))

    return act


scenario(
    "acks_late",
    name="poison_exits",
    fault="exits every time",
    doc="A task that ends its process in every attempt: the first by os._exit, the others by sys.exit.",
    weight_s=8.0,
)(poison(Act(ends="os_exit"), Act(ends="sys_exit")))
scenario(
    "acks_late",
    name="poison_killed",
    fault="SIGKILL every time",
    doc="A task that is killed in every attempt.",
    weight_s=25.0,
)(poison(Act(ends="kill_self")))
