"""The result backend is away, or slow, in the very moment in which a state is stored."""

from collections.abc import Callable
from typing import NamedTuple

from assay.broker import OwnBroker
from assay.checkers import Attempts, Delivery, Evidence, FinalState, Liveness, Told
from assay.errors import HarnessError
from assay.event import Event, Kind, Point
from assay.outage import Gone, Locked, Outage, Paused
from assay.scaling import Scaling, Target, impatient, long_countdowns
from assay.scenario import scenario
from assay.scenarios.results.outcomes import FAILS_FOR_GOOD, fails, told
from assay.scenarios.retries.policy import FAILS, retries
from assay.script import Act
from assay.stage import SETTLE_S, Stage

WITHIN_S = 10.0  # of a fresh task's publication
SLOW_S = 1.0
DECIDES_S = 6.0  # that giving up may take
OUTLASTS_S = 5.0  # more than the backend is slow


class Moment(NamedTuple):
    """A state, the invocation that comes to store it, and how that ends if the backend is there."""

    state: str
    words: str
    acts: tuple[Act, ...]
    point: Point
    ends: str
    attempts: int
    when: Callable[[Target], bool]

    def applies(self, target: Target) -> bool:
        return bool(target.breakable_results) and self.when(target)

    def times(self, target: Target) -> dict[str, int]:
        failed = int(self.ends == "FAILURE")
        return told(target, successes=1 - failed, failures=failed, retried=self.attempts - 1)


def tracks(target: Target) -> bool:
    return target.task.track_started


MOMENTS = {
    "started": Moment("STARTED", "that a task has begun", (Act(),), Point.BEFORE_STARTED, "SUCCESS", 1, tracks),
    "success": Moment("SUCCESS", "a task's success", (Act(),), Point.BEFORE_RESULT, "SUCCESS", 1, lambda _: True),
    "failure": Moment("FAILURE", "a task's failure", (FAILS_FOR_GOOD,), Point.BEFORE_RESULT, "FAILURE", 1, fails),
    "retry": Moment("RETRY", "a retry", (FAILS, Act()), Point.BEFORE_RESULT, "SUCCESS", 2, retries),
}


def server(stage: Stage) -> OwnBroker:
    if stage.cluster.results is None:
        raise HarnessError("the results are on no server of their own")
    return stage.cluster.results


def gone(stage: Stage) -> Outage:
    """For longer than the backend waits before it gives up one try."""
    files = stage.cluster.redirection.databases.values()
    return Locked(files) if stage.target.breakable_results == "database" else Gone(server(stage))


def slow(stage: Stage) -> Outage:
    files = stage.cluster.redirection.databases.values()
    return Locked(files) if stage.target.breakable_results == "database" else Paused(server(stage))


def claim(stage: Stage, promise: str) -> None:
    """Whoever stores results promises so; the setting about it is named where it is given."""
    given = stage.subject.setting("result_backend_always_retry")
    always = given is not None and given.value is True
    remedy = "" if always else "set result_backend_always_retry=True"
    if stage.target.breakable_results == "database":
        # django_celery_results/backends/database.py, DatabaseBackend.exception_safe_to_retry
        also = "let the backend's exception_safe_to_retry say so of OperationalError too"
        remedy = f"{remedy}, and {also}" if remedy else also
    stage.claims("result_backend_always_retry" if given else "result_backend", promise, remedy)


def away_at(moment: Moment) -> Callable[[Stage], None]:
    def act(stage: Stage) -> None:
        contract = stage.contract(child_lost=False)
        claim(stage, f"the result gets there, once, though the backend is away when it is told {moment.words}")
        cluster, fault = stage.cluster, stage.scenario.fault
        worker = stage.worker(concurrency=1, callbacks=True)
        invocation = stage.publish(*moment.acts, hold=moment.point, linked=True)
        standing = stage.hold(invocation, moment.point)

        def told_of(kind: Kind) -> list[Event]:
            return [event for event in cluster.seen if event.kind == kind and event.invocation == invocation]

        def tries() -> int:
            return sum(event.detail.get("state") == moment.state for event in told_of(Kind.RESULT_REFUSED))

        def decided() -> bool:
            """The backend has tried again, or it has given up: the child has, and then main, which records that."""
            failed = told_of(Kind.RESULT_FAILED)
            return any(event.pid == worker.pid for event in failed) or (not failed and tries() > 1)

        outage = gone(stage)
        cluster.record(Kind.FAULT_INJECTED, invocation, fault=fault)
        outage.begin()
        try:
            standing.release()
            if cluster.wait(tries, timeout_s=SETTLE_S):
                cluster.record(Kind.FAULT_LANDED, invocation, fault=fault, signal="refused")
            cluster.wait(decided, timeout_s=DECIDES_S)  # or it were chance what else finds the backend away
        finally:
            outage.end()
        cluster.record(Kind.FAULT_HEALED, invocation, fault=fault)
        fresh = stage.publish_many(1)
        stage.settle()
        ids = [invocation]
        stage.check(
            FinalState(ids=ids, states=[moment.ends]),
            Delivery(contract=contract.delivery, ids=ids),
            Attempts(ids=ids, least=moment.attempts, most=moment.attempts + 1),
            Told(ids=ids, times=moment.times(stage.target)),
            Liveness(ids=fresh, within_s=WITHIN_S),
            Evidence(landed=1),
        )

    return act


for name, each in MOMENTS.items():
    scenario(
        "results",
        name=f"away_at_{name}",
        fault="results gone",
        doc=f"The result backend is gone, or its database locked, when it is told {each.words}, and comes back.",
        when=each.applies,
        scale=impatient,
        weight_s=3.0,
        own_results=True,
    )(away_at(each))


def outlasting(target: Target) -> Scaling:
    """A scaled retry might end while RETRY of its last attempt is still being stored, and be overwritten by it."""
    said = f"in the scenario about a slow result backend each retry waits {OUTLASTS_S:g} s at least"
    return long_countdowns(target, OUTLASTS_S, said)


@scenario("results", fault="results slow", weight_s=7.0, own_results=True, scale=outlasting)
def slow_backend(stage: Stage) -> None:
    """The result backend takes a second to answer while each of the states is stored at once: all are, and once."""
    claim(stage, f"a result that takes {SLOW_S:g} s to be stored is stored, and told of once")
    cluster, fault = stage.cluster, stage.scenario.fault
    moments = [moment for moment in MOMENTS.values() if moment.applies(stage.target)]
    stage.worker(concurrency=len(moments), callbacks=True)
    ids = [stage.publish(*moment.acts, hold=moment.point, linked=True) for moment in moments]
    standing = [stage.hold(invocation, moment.point) for invocation, moment in zip(ids, moments, strict=True)]
    waiting = {each.pid for each in standing}

    def felt() -> bool:
        waiting.difference_update([pid for pid in waiting if outage.felt(pid)])
        return not waiting

    outage = slow(stage)
    cluster.record(Kind.FAULT_INJECTED, fault=fault)
    outage.begin()
    try:
        for each in standing:
            each.release()
        if cluster.wait(felt, timeout_s=outage.felt_within_s):
            cluster.record(Kind.FAULT_LANDED, fault=fault, signal="SIGSTOP")
        cluster.wait(lambda: any(event.kind == Kind.RESULT_REFUSED for event in cluster.seen), timeout_s=SLOW_S)
    finally:
        outage.end()
    cluster.record(Kind.FAULT_HEALED, fault=fault)
    fresh = stage.publish_many(1)
    stage.settle()
    for invocation, moment in zip(ids, moments, strict=True):
        stage.check(
            FinalState(ids=[invocation], states=[moment.ends]),
            Attempts(ids=[invocation], least=moment.attempts, most=moment.attempts),
            Told(ids=[invocation], times=moment.times(stage.target)),
        )
    succeed = [invocation for invocation, moment in zip(ids, moments, strict=True) if moment.ends == "SUCCESS"]
    stage.check(
        Delivery(contract="effectively_once", ids=succeed),
        Liveness(ids=fresh, within_s=WITHIN_S),
        Evidence(landed=1),
    )
