"""A task is revoked while it waits, and then its worker is restarted: who still knows that it is revoked?

A worker keeps what was revoked in its memory, at its orderly end in a file where there is one (`worker_state_db`), and
tells it those that start while it is up (mingle). Sources: celery/worker/state.py, celery/worker/consumer/mingle.py.
"""

from signal import SIGTERM
from typing import Any

from assay.checkers import Delivery, Evidence, StaysRevoked
from assay.errors import HarnessError
from assay.event import Kind, Point
from assay.gate import Waiting
from assay.scenario import scenario
from assay.scenarios.results.outcomes import asked
from assay.stage import Stage
from assay.worker import Worker

GIVES_BACK_S = 5.0
#: as without a flag: mingle is what is asked about, and it needs both sides
DEFAULT_FLAGS = {"without_mingle": False, "without_gossip": False, "without_heartbeat": False}


def revoked_behind_one_that_runs(stage: Stage, **changes: Any) -> tuple[Worker, Waiting, str]:
    """The worker, what runs in its only slot, and the task that waits behind it and of which it knows."""
    worker = stage.worker(concurrency=1, **changes)
    runs = stage.publish(hold=Point.BODY_MIDDLE)
    standing = stage.hold(runs, Point.BODY_MIDDLE)
    stage.acknowledged_early(runs)
    waits = stage.publish()
    stage.at_rest()
    if not asked(stage, worker.name, waits):
        raise HarnessError(f"worker {worker.name} did not answer that it has revoked a task")
    return worker, standing, waits


def gave_back(stage: Stage, worker: Worker) -> bool:
    """Whether it has closed its connection, with which goes what it had not acknowledged."""
    return any(event.kind == Kind.CONNECTION_CLOSED and event.worker == worker.name for event in stage.cluster.seen)


def heard(stage: Stage, worker: Worker) -> None:
    """Mingle waits for a second. Raises HarnessError where nobody answered in it: that would be the machine's doing."""
    for event in stage.cluster.seen:
        if event.kind == Kind.MINGLED and event.worker == worker.name and not event.detail.get("replies"):
            raise HarnessError(f"worker {worker.name} heard from no other worker in the second that mingle waits")


def stops(stage: Stage, worker: Worker, standing: Waiting, revoked: str) -> None:
    """What runs is let go and ends, as in a deployment: warm shutdown.

    Not before the worker has given back what waits: or it were chance whether it still comes to discard that itself.
    """
    stage.signal(worker, SIGTERM, revoked)
    stage.cluster.wait(lambda: gave_back(stage, worker), timeout_s=GIVES_BACK_S)
    standing.release()
    stage.wait_stopped(worker)


@scenario("results", fault="SIGTERM", weight_s=4.0)
def revoked_then_all_restarted(stage: Stage) -> None:
    """A waiting task is revoked, its only worker is stopped and started again: it runs, unless that keeps its state."""
    keeps = stage.subject.setting("worker_state_db")
    promised = keeps is not None and bool(keeps.value)
    stage.claims(
        "worker_state_db" if promised else "",
        "what was revoked stays so when every worker is restarted"
        if promised
        else "nothing is promised: what was revoked is in the memory of workers only",
    )
    worker, standing, waits = revoked_behind_one_that_runs(stage)
    stops(stage, worker, standing, waits)
    stage.take_over(state_of=worker.name)
    stage.check(
        StaysRevoked(ids=[waits], promised=promised),
        Delivery(contract="at_least_once", ids=[standing.held.invocation]),
        Evidence(landed=1),
    )


@scenario("results", fault="SIGTERM", weight_s=5.0)
def revoked_then_restarted_in_turn(stage: Stage) -> None:
    """A waiting task is revoked, the next worker starts before the last one stops: it is told, and runs nothing."""
    stage.claims("mingle", "a worker that starts while another one is up is told what was revoked")
    worker, standing, waits = revoked_behind_one_that_runs(stage, options=DEFAULT_FLAGS)
    heard(stage, stage.worker(options=DEFAULT_FLAGS))
    stops(stage, worker, standing, waits)
    if not stage.settle():
        stage.replacement(options=DEFAULT_FLAGS)
        stage.settle()
    stage.check(
        StaysRevoked(ids=[waits]),
        Delivery(contract="at_least_once", ids=[standing.held.invocation]),
        Evidence(landed=1),
    )
