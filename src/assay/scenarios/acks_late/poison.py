"""A task that kills its worker every time: it must end, and its neighbours must live."""

from collections.abc import Callable

from assay.checkers import Attempts, Delivery, Evidence, FinalState
from assay.contract.delivery import most_attempts
from assay.scenario import scenario
from assay.script import Act
from assay.stage import Stage
from assay.subject import Task


def counting(task: Task) -> str:
    """What ends such a task, and its price. Source: celery/worker/request.py, Request._retry_worker_lost."""
    itself = "count deliveries in the task's base class"
    bound = "give the task a max_retries: with None it goes on without end"
    if task.retry_on_worker_lost:
        return itself if task.max_retries is not None else f"{bound}; or {itself}"
    price = (
        f"after each lost worker the task then waits its retry delay, {task.default_retry_delay:g} s, "
        "and that counts as one of its max_retries"
    )
    left = f", {task.max_retries}" if task.max_retries is not None else f"; {bound}"
    return f"set task_retry_on_worker_lost=True (Celery 5.7): {price}{left}; or {itself}"


def _within(task: Task, remedy: str) -> str:
    """What ends it, and soon enough for its contract."""
    most = (task.contract.attempts or 1) - 1
    bounded = task.retry_on_worker_lost and task.max_retries is not None and task.max_retries > most
    return f"give the task a max_retries of {most} or less" if bounded else remedy


def poison(*acts: Act) -> Callable[[Stage], None]:
    def act(stage: Stage) -> None:
        task = stage.task
        bound = most_attempts(task)
        setting = (
            "task_reject_on_worker_lost" if task.reject_on_worker_lost else "task_acks_late" if task.acks_late else ""
        )
        promise = f"a task that kills its worker every time ends, after {bound} attempts at the most"
        if task.contract.attempts:
            stage.requires("attempts", promise, _within(task, counting(task)))
        else:
            stage.claims(setting, promise, counting(task))
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
