"""What of a task's contract the configuration cannot keep: seen without running anything. Pure."""

from collections.abc import Callable, Sequence

import msgspec

from assay.contract.delivery import claim
from assay.counted import listed
from assay.subject import Subject, Task

UNKEPT = "not_of_its_contract"  # the rule of an audit that tells of them
WITHOUT_LIMITS = ("solo", "threads")  # pools
SHOWN = 3


Look = Callable[[Task, Subject, str], tuple[str, str] | None]  # (what is seen, remedy)


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a contract that several tasks cannot keep for one reason."""

    claim: str  # "contract run_s=60"
    promise: str
    observed: str
    remedy: str
    place: str
    tasks: tuple[str, ...]


def breaches(subject: Subject, pool: str, tasks: Sequence[str] = ()) -> list[Breach]:
    """Of all tasks, or of these: the most important first."""
    chosen = [task for task in subject.tasks if not tasks or task.name in tasks]
    chosen.sort(key=lambda task: -(task.contract.importance or 0))
    found: dict[tuple[str, str], list[tuple[Task, str, str]]] = {}
    for task in chosen:
        for part, look in LOOKS.items():
            if getattr(task.contract, part) is not None and (told := look(task, subject, pool)):
                found.setdefault((claim(task, part), told[1]), []).append((task, part, told[0]))
    return [_breach(said, subject.worded(remedy), those) for (said, remedy), those in found.items()]


def _breach(said: str, remedy: str, those: list[tuple[Task, str, str]]) -> Breach:
    task, part, observed = those[0]
    names = [each.name for each, _, _ in those]
    return Breach(
        claim=said,
        promise=PROMISES[part],
        observed=f"{listed(names, SHOWN)}: {observed}",
        remedy=remedy,
        place=task.contract_at.get(part, ""),
        tasks=tuple(names),
    )


def _run_s(task: Task, subject: Subject, pool: str) -> tuple[str, str] | None:
    most = task.contract.run_s or 0.0
    if pool in WITHOUT_LIMITS:
        return f"pool {pool} ignores time limits, so nothing ends it", "run the workers with --pool=prefork"
    remedy = f"give the task a time_limit of {most:g} s or less, or set task_time_limit"
    if task.time_limit is None:
        soft = f"its soft limit of {task.soft_time_limit:g} s ends no body that goes on" if task.soft_time_limit else ""
        return soft or "it has no time limit, so nothing ends it", remedy
    if task.time_limit > most:
        return f"its hard limit is {task.time_limit:g} s", remedy
    return None


def _attempts(task: Task, subject: Subject, pool: str) -> tuple[str, str] | None:
    """A body that retries by hand may say itself how often: that is for a run to see."""
    most = task.contract.attempts or 0
    if not task.autoretry_for:
        return None
    remedy = f"give the task a max_retries of {most - 1} or less"
    if task.max_retries is None:
        return "it retries without end (max_retries=None)", remedy
    if task.max_retries + 1 > most:
        return f"max_retries={task.max_retries} is {task.max_retries + 1} attempts", remedy
    return None


def _queue(task: Task, subject: Subject, pool: str) -> tuple[str, str] | None:
    due = task.contract.queue or ""
    if not task.queue or task.queue == due:
        return None
    known = "" if due in subject.all_queues() else f", and no task goes to {due}, nor is it declared"
    return f"it goes to queue {task.queue}{known}", f"route the task to {due} in task_routes"


def _recovery_s(task: Task, subject: Subject, pool: str) -> tuple[str, str] | None:
    if not subject.on_redis or not task.acks_late or subject.visibility_timeout <= (task.contract.recovery_s or 0.0):
        return None
    waits = f"{subject.visibility_timeout:g} s"
    return (
        f"on Redis what a killed worker had comes back after its visibility_timeout, {waits}, and not before",
        "a visibility_timeout in broker_transport_options that is shorter, and longer than a task may run and wait; or "
        "RabbitMQ, which gives back at once",
    )


LOOKS: dict[str, Look] = {"recovery_s": _recovery_s, "attempts": _attempts, "run_s": _run_s, "queue": _queue}
PROMISES = {
    "recovery_s": "a lost attempt is followed by the next in so long",
    "attempts": "a task that fails every time ends after so many attempts",
    "run_s": "no attempt runs longer",
    "queue": "the task goes by this queue, and is consumed there",
}
