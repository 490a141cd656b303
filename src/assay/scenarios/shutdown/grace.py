"""The shortest time between SIGTERM and SIGKILL that loses nothing and repeats nothing, and what a shorter one does."""

from signal import SIGTERM
from typing import Any

from assay.checkers import Attempts, Delivery, Evidence, Grace
from assay.event import Point
from assay.scaling import HARD_S, Target, limits
from assay.scenario import EVERY_POOL, scenario, sigterm_is_warm
from assay.scenarios.shutdown.under_way import under_way
from assay.script import Act
from assay.stage import Stage

LONGER = 20  # times the limits
SLOW_S = 4 * HARD_S  # of a body that ignores all but its limit, and in the end of one that no limit ends


def limit_s(target: Target) -> float | None:
    """What bounds a body that ignores everything else: a hard limit, where the pool can enforce it."""
    return target.task.time_limit if target.pool == "prefork" else None


@scenario("shutdown", fault="SIGTERM, then SIGKILL", when=sigterm_is_warm, pools=EVERY_POOL, scale=limits, weight_s=7.0)
def grace_period(stage: Stage) -> None:
    """How long a worker must be left after SIGTERM: as long as a body may run; and what happens if it is left less."""
    contract, limit = stage.contract(child_lost=False), limit_s(stage.target)
    enough, less = _with_grace(stage, limit), _with_less(stage)
    stage.replacement()
    stage.settle()
    stage.claims(
        "task_time_limit" if limit else "warm shutdown",
        f"a worker that is left {limit:g} s and a few more after SIGTERM loses nothing and repeats nothing"
        if limit
        else "a worker that is left until its bodies end loses nothing and repeats nothing",
        contract.remedy,
    )
    if not stage.subject.place(stage.setting):
        stage.place = stage.task.place
    stage.check(
        Grace(
            enough=[enough],
            less=less,
            grace_s=limit,
            limit_s=limit / stage.scaling.hard if limit else None,
            soft_s=stage.subject.soft_shutdown_timeout if stage.task.acks_late else 0.0,
        ),
        Delivery(contract=contract.delivery, ids=less),
        Attempts(ids=less, most=2),
        Evidence(landed=3),
    )


def _with_grace(stage: Stage, limit: float | None) -> str:
    """A worker is stopped, and is left until it is gone: its body ends by its limit alone, or by itself without one."""
    worker = stage.worker(concurrency=1)
    if limit:
        runs = stage.publish(Act(work_s=SLOW_S, ignores_soft=True), Act())
        under_way(stage, runs)
        stage.signal(worker, SIGTERM, runs)
    else:
        runs = stage.publish(hold=Point.BODY_MIDDLE)
        standing = stage.hold(runs, Point.BODY_MIDDLE)
        under_way(stage, runs)
        stage.signal(worker, SIGTERM, runs)
        standing.release()
    stage.wait_stopped(worker)
    return runs


def _with_less(stage: Stage) -> list[str]:
    """Bodies that had not ended when the worker is killed: no limit comes before that, on a slow machine either."""
    number, task = 1 if stage.target.pool == "solo" else 2, stage.task
    given = {"soft_time_limit": task.soft_time_limit, "time_limit": task.time_limit}
    longer: dict[str, Any] = {name: LONGER * limit for name, limit in given.items() if limit}
    worker = stage.worker(concurrency=number)
    ids = [stage.publish(hold=Point.BODY_MIDDLE, **longer) for _ in range(number)]
    held = [stage.hold(each, Point.BODY_MIDDLE) for each in ids]
    for each in ids:
        under_way(stage, each)
    stage.signal(worker, SIGTERM, ids[0])
    stage.cluster.kill_worker(worker, held[0], group=True)
    for waiting in held[1:]:
        waiting.release()
    return ids
