"""Every way in which an invocation can end: what is stored is what happened, and all who are to be told are, once."""

from typing import Any

from assay.checkers import Attempts, Delivery, Evidence, FinalState, Revoked, Told
from assay.event import Event, Kind, Point
from assay.scaling import Target
from assay.scenario import scenario
from assay.scenarios.retries.policy import FAILS, chooses_errors, gives_up_at_last, retries
from assay.script import Act
from assay.stage import Stage

FAILS_FOR_GOOD = Act(ends="raise", error="plain")
ASKED_S = 5.0
LOOPS_AFTER = 3  # attempts beyond those that are due


def fails(target: Target) -> bool:
    """Whether there is an error that it does not retry for."""
    return not target.task.autoretry_for or chooses_errors(target)


def told(
    target: Target, *, successes: int = 0, failures: int = 0, retried: int = 0, revoked: int = 0
) -> dict[str, int]:
    """How often everybody is told of one invocation. Celery calls on_success and after_return only where they are.

    Sources: celery/app/trace.py; after_return is not called for a retry (IGNORE_STATES).
    """
    times = {
        "task_success": successes,
        "task_failure": failures,
        "task_retry": retried,
        "task_revoked": revoked,
        "task_internal_error": 0,
        "on_failure": failures,
        "on_retry": retried,
        "link": successes,
        "link_error": failures,
    }
    own = {"on_success": successes, "after_return": successes + failures}
    return times | {hook: number for hook, number in own.items() if hook in target.task.hooks}


def stored(stage: Stage, invocation: str, *states: str) -> None:
    if stage.target.stores_results:
        stage.check(FinalState(ids=[invocation], states=list(states)))


def claim(stage: Stage, promise: str) -> None:
    stage.claims("results", promise)
    stage.place = stage.task.place


@scenario("results", fault="none", weight_s=4.0)
def ends_by_itself(stage: Stage) -> None:
    """A task succeeds, fails, is retried and gives up: its state says so, hooks, signals and callbacks hear once."""
    claim(stage, "what is stored is what happened; signals, hooks and callbacks are told of each outcome once")
    target, task = stage.target, stage.task
    stage.worker(callbacks=True)
    succeeds = stage.publish(linked=True)
    failing = stage.publish(FAILS_FOR_GOOD, linked=True) if fails(target) else ""
    retried = stage.publish(FAILS, Act(), linked=True) if retries(target) else ""
    most = task.max_retries or 0
    exhausted = stage.publish(FAILS, linked=True) if gives_up_at_last(target) else ""
    stage.settle(enough=lambda: bool(exhausted) and stage.starts(exhausted) > most + LOOPS_AFTER)
    stage.check(
        Delivery(contract="effectively_once", ids=[each for each in (succeeds, retried) if each]),
        Attempts(ids=[succeeds], least=1, most=1),
        Told(ids=[succeeds], times=told(target, successes=1)),
    )
    stored(stage, succeeds, "SUCCESS")
    if failing:
        stage.check(Attempts(ids=[failing], least=1, most=1), Told(ids=[failing], times=told(target, failures=1)))
        stored(stage, failing, "FAILURE")
    if retried:
        stage.check(
            Attempts(ids=[retried], least=2, most=2), Told(ids=[retried], times=told(target, successes=1, retried=1))
        )
        stored(stage, retried, "SUCCESS")
    if exhausted:
        stage.check(
            Attempts(ids=[exhausted], least=1 + most, most=1 + most),
            Told(ids=[exhausted], times=told(target, failures=1, retried=most)),
        )
        stored(stage, exhausted, "FAILURE")


@scenario("results", fault="none", weight_s=2.0)
def ends_by_ignore_or_reject(stage: Stage) -> None:
    """A body raises Ignore, or Reject with and without requeue where it is acknowledged late: nothing else is told."""
    claim(stage, "an ignored or rejected task is neither a success nor run again, unless it asks for it")
    target = stage.target
    stage.worker(callbacks=True)
    ignored = stage.publish(Act(ends="ignore"), linked=True)
    late = stage.task.acks_late  # before, Reject does nothing (docs: userguide/tasks, Reject)
    rejected = stage.publish(Act(ends="reject"), linked=True) if late else ""
    requeued = stage.publish(Act(ends="requeue"), Act(), linked=True) if late else ""
    stage.settle(enough=lambda: bool(requeued) and stage.starts(requeued) > 2 + LOOPS_AFTER)
    stage.check(Attempts(ids=[ignored], least=1, most=1), Told(ids=[ignored], times=told(target)))
    stored(stage, ignored, "PENDING", "STARTED")  # by design its state is not touched
    if rejected and requeued:
        # From 5.7 on it is a failure, told by main, which calls no hook (celery#4222); before, it stays as it was.
        fails_then = target.subject.celery >= (5, 7)
        times = told(target) | ({"task_failure": 1, "link_error": 1} if fails_then else {})
        stage.check(
            Attempts(ids=[rejected], least=1, most=1),
            Told(ids=[rejected], times=times),
            Attempts(ids=[requeued], least=2, most=2),
            Told(ids=[requeued], times=told(target, successes=1)),
            Delivery(contract="effectively_once", ids=[requeued]),
        )
        stored(stage, rejected, *(["FAILURE"] if fails_then else ["PENDING", "STARTED"]))
        stored(stage, requeued, "SUCCESS")


def asked(stage: Stage, worker: str, invocation: str, **arguments: Any) -> bool:
    """Revoke it; whether the worker has answered that it knows so."""
    return bool(
        stage.cluster.client.ask(
            "control",
            command="revoke",
            arguments={"task_id": [invocation], **arguments},
            timeout_s=ASKED_S,
            destination=[f"{worker}@assay"],
        )
    )


@scenario("results", fault="revoke", weight_s=3.0)
def ends_on_request(stage: Stage) -> None:
    """One that runs is revoked with terminate=True, one that waits is revoked, one has expired: each is told once."""
    claim(stage, "what is revoked or has expired is stored as REVOKED, does not run, and is told of once")
    target, cluster = stage.target, stage.cluster
    worker = stage.worker(concurrency=1, callbacks=True)
    expired = stage.publish(linked=True, expires=-1)
    stage.delivered(expired)  # to an idle worker: RabbitMQ itself drops what expires in a queue, and tells nobody
    runs = stage.publish(hold=Point.BODY_MIDDLE, linked=True)
    standing = stage.hold(runs, Point.BODY_MIDDLE)
    stage.acknowledged_early(runs)
    waits = stage.publish(linked=True)
    cluster.record(Kind.FAULT_INJECTED, runs, fault="revoke")
    heard = asked(stage, worker.name, waits) and asked(stage, worker.name, runs, terminate=True)

    def revoked(event: Event) -> bool:
        return event.kind == Kind.REVOKED and event.invocation == runs

    if heard and cluster.wait(lambda: any(map(revoked, cluster.seen)), timeout_s=10.0):
        cluster.record(Kind.FAULT_LANDED, runs, fault="revoke", signal="SIGTERM")
    standing.release()
    stage.settle()
    ids = [runs, waits, expired]
    stage.check(
        Revoked(ids=ids),
        Attempts(ids=[runs], least=1, most=1),
        Attempts(ids=[waits, expired], most=0, parts={waits: "the revoked", expired: "the expired"}),
        Told(ids=ids, times=told(target, revoked=1)),
        Evidence(landed=1, in_flight=False),  # its end may be recorded before the revocation is
    )
    for each in ids:
        stored(stage, each, "REVOKED")
