"""A pool child is killed at each crash point of an attempt."""

from collections.abc import Callable

from assay.checkers import Attempts, Delivery, Evidence, Ledgers, Leftovers, Signals
from assay.event import Point
from assay.scaling import Target
from assay.scenario import scenario
from assay.stage import Stage

WHERE = {
    Point.BODY_ENTER: "before the first line of the body",
    Point.BODY_MIDDLE: "in the middle of the body",
    Point.BODY_EXIT: "after the body's work, before anybody knows",
    Point.BEFORE_RESULT: "just before the result is stored",
    Point.AFTER_RESULT: "just after the result is stored",
    Point.AFTER_TRACE: "when all is done and not yet reported to the main process",
}


def kill_at(point: Point) -> Callable[[Stage], None]:
    def act(stage: Stage) -> None:
        contract = stage.contract()
        stage.worker()
        invocation = stage.publish(hold=point)
        stage.kill_child_at(invocation, point)
        stage.settle()
        ids = [invocation]
        stage.check(
            Delivery(contract=contract.delivery, ids=ids), Attempts(ids=ids, most=2), Evidence(landed=1), Leftovers()
        )
        if contract.completes:
            stage.check(Ledgers(ids=ids), Signals(ids=ids))

    return act


def reaches(point: Point) -> Callable[[Target], bool]:
    """A task that stores no result never passes the points around storing it."""
    around_result = point in (Point.BEFORE_RESULT, Point.AFTER_RESULT)
    return lambda target: not around_result or target.stores_results


for each, words in WHERE.items():
    scenario(
        "acks_late",
        name=f"child_killed_{each.replace('body_', '')}",
        fault="SIGKILL child",
        when=reaches(each),
        doc=f"A pool child is killed {words}.",
        weight_s=5.0,
    )(kill_at(each))
