"""What the task's own retry options say, against what happens."""

from assay.checkers import Attempts, Delivery, FinalState, RetryPolicy, Signals
from assay.event import Event, Kind
from assay.scaling import Target
from assay.scenario import EVERY_POOL, scenario
from assay.script import Act
from assay.stage import Stage
from assay.subject import Task

FAILS = Act(ends="raise", error="transient")


def retries(target: Target) -> bool:
    return target.task.may_retry


def gives_up_at_last(target: Target) -> bool:
    """Whether its options say how often and how late it retries: a retry by hand is given both by the body itself."""
    return retries(target) and bool(target.task.autoretry_for) and target.task.max_retries is not None


def chooses_errors(target: Target) -> bool:
    """Whether the task retries for some errors and not for all."""
    return bool(target.task.autoretry_for) and not {"Exception", "BaseException"} & set(target.task.autoretry_for)


def raised(event: Event) -> bool:
    return event.kind == Kind.BODY_EXITED and bool(event.detail.get("raised"))


def claim(stage: Stage, promise: str) -> None:
    task = stage.task
    stage.claims("autoretry_for" if task.autoretry_for else "self.retry()", promise)
    stage.place = task.place


def delays(task: Task, retries_: int) -> list[tuple[float, float]]:
    """(least, most) seconds before each retry, in production units."""
    if task.retry_backoff and task.autoretry_for:
        full = [task.backoff_s(number) for number in range(retries_)]
        return [(0.0 if task.retry_jitter else wait, wait) for wait in full]
    wait = task.retry_countdown if task.retry_countdown is not None else task.default_retry_delay
    return [(wait, wait)] * retries_


@scenario("retries", fault="transient error", when=retries, pools=EVERY_POOL)
def fails_then_succeeds(stage: Stage) -> None:
    """The body fails once with an error that is retried, then succeeds."""
    claim(stage, "a transient error is retried until it is gone")
    stage.worker()
    invocation = stage.publish(FAILS, Act())
    stage.lands(invocation, raised)
    stage.settle()
    ids = [invocation]
    stage.check(Delivery(contract="effectively_once", ids=ids), Attempts(ids=ids, least=2, most=2), Signals(ids=ids))
    if stage.target.stores_results:
        stage.check(FinalState(ids=ids, states=["SUCCESS"]))


@scenario("retries", fault="transient error", when=gives_up_at_last, pools=EVERY_POOL, weight_s=3.0)
def gives_up(stage: Stage) -> None:
    """The body fails every time: exactly the allowed attempts are made, then a failure is recorded."""
    most = stage.task.max_retries or 0
    claim(stage, f"max_retries={most}: {1 + most} attempts and no more")
    stage.worker()
    invocation = stage.publish(FAILS)
    stage.lands(invocation, raised)
    stage.settle(enough=lambda: stage.starts(invocation) > most + 3)
    ids = [invocation]
    stage.check(Attempts(ids=ids, least=1 + most, most=1 + most), Signals(ids=ids))
    if stage.target.stores_results:
        stage.check(FinalState(ids=ids, states=["FAILURE"]))


def bounded(target: Target) -> bool:
    return retries(target) and target.task.contract.attempts is not None


@scenario("retries", fault="transient error", when=bounded, pools=EVERY_POOL, weight_s=3.0)
def no_more_than_contract(stage: Stage) -> None:
    """The body fails every time: no more attempts are made than the task's contract allows."""
    most = stage.task.contract.attempts or 0
    stage.requires(
        "attempts",
        f"a task that fails every time ends, after {most} attempts at the most",
        f"give the task a max_retries of {most - 1} or less",
    )
    stage.worker()
    invocation = stage.publish(FAILS)
    stage.lands(invocation, raised)
    stage.settle(60.0, enough=lambda: stage.starts(invocation) > most)
    stage.check(Attempts(ids=[invocation], most=most))


@scenario("retries", fault="transient error", when=gives_up_at_last, pools=EVERY_POOL, weight_s=3.0)
def spacing(stage: Stage) -> None:
    """Each retry waits as long as the task says (delay, backoff, jitter), and stays in its queue."""
    most = min(stage.task.max_retries or 0, 4)
    claim(stage, f"retries wait {_words(stage.task, most)}")
    stage.worker()
    invocation = stage.publish(*[FAILS] * most, Act())
    stage.lands(invocation, raised)
    stage.settle()
    stage.check(
        RetryPolicy(
            ids=[invocation],
            retries=most,
            delays_s=delays(stage.task, most),
            scale=stage.scaling.countdown,
            queue=stage.task.queue,
            gives_up=False,
        )
    )


@scenario(
    "retries", fault="another error", when=lambda target: retries(target) and chooses_errors(target), pools=EVERY_POOL
)
def other_errors_fail_at_once(stage: Stage) -> None:
    """An error that is not in autoretry_for is not retried."""
    claim(stage, f"only {', '.join(stage.task.autoretry_for)} are retried")
    stage.worker()
    invocation = stage.publish(Act(ends="raise", error="plain"))
    stage.lands(invocation, raised)
    stage.settle()
    stage.check(Attempts(ids=[invocation], most=1))
    if stage.target.stores_results:
        stage.check(FinalState(ids=[invocation], states=["FAILURE"]))


def _words(task: Task, most: int) -> str:
    return ", ".join(f"{low:g} s" if low == high else f"up to {high:g} s" for low, high in delays(task, most))
