"""A message for a task that the worker does not know."""

from assay.checkers import Delivery, Unknown
from assay.scenario import EVERY_POOL, scenario
from assay.stage import Stage


@scenario("routing", fault="unknown task", pools=EVERY_POOL)
def unknown_task(stage: Stage) -> None:
    """The message is dropped with a recorded failure and does not block the queue."""
    stage.claims("task registration", "a message for an unknown task ends, and those behind it run")
    stage.worker()
    stranger = stage.publish(task="assay.no_such_task", queue=stage.task.queue)
    ids = stage.publish_many(2)
    stage.settle(8.0)
    stage.check(Unknown(ids=[stranger]), Delivery(contract="effectively_once", ids=ids))
