"""What a worker must know before a scenario tells it to stop, and when it has done what it does at once."""

from assay.event import Kind
from assay.stage import Stage
from assay.worker import Worker

LEAVES_S = 3.0


def under_way(stage: Stage, invocation: str) -> None:
    """Wait until the worker knows that the body has begun, and has acknowledged it where it does so early.

    A worker that is told to stop before its main process has read that a child took the task may never end
    (docs/celery-findings.md): a scenario that is not about that moment must not land in it.
    """
    stage.cluster.wait_event(
        lambda event: event.kind == Kind.ACCEPTED and event.invocation == invocation,
        what=f"main knowing that {invocation} runs",
    )
    stage.acknowledged_early(invocation)


def left_loop(stage: Stage, worker: Worker) -> None:
    """Wait until it takes no more messages, and has said so. One that does not is found out by what it begins.

    Until then it may take one more: SIGTERM does not interrupt its wait for events. And a signal in the midst of what
    it says may hang it on AMQP (docs/celery-findings.md): a scenario that is not about that must not land in it.
    """

    def left() -> bool:
        stopped = (event for event in stage.cluster.seen if event.kind == Kind.CONSUMER_STOPPED)
        return any(event.worker == worker.name for event in stopped) or not worker.alive()

    stage.cluster.wait(left, timeout_s=LEAVES_S)
