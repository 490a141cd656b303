"""What a task is held to under a fault: what the user demands, else what the task's own configuration claims."""

from typing import Literal, cast

import msgspec

from assay.subject import Subject, Task

Delivery = Literal["at_least_once", "at_most_once", "effectively_once", "any"]


BEYOND = (
    "no setting of the app mends it: docs/celery-findings.md tells what Celery itself gets wrong; what you accept "
    "of it, list under `known`"
)


class Contract(msgspec.Struct, frozen=True):
    """`setting` is what makes the claim, "" where nothing does: then any outcome is allowed and shown as it is."""

    delivery: Delivery
    setting: str
    promise: str
    remedy: str = ""


def of(task: Task, subject: Subject, demanded: str, *, child_lost: bool) -> Contract:
    """The delivery contract of `task` when a child (or, not `child_lost`, the whole worker) is lost.

    Early acknowledgement, Celery's default, claims nothing. `task_reject_on_worker_lost` claims that a lost child loses
    no task whether or not late acknowledgement makes it work, and says nothing of a lost main process, with which goes
    who would reject it; `task_acks_late` claims it for any lost process.
    """
    if demanded != "inferred":
        words = f"delivery {demanded.replace('_', ' ')}, as demanded"
        beyond = BEYOND if demanded == "at_least_once" else ""
        return Contract(cast(Delivery, demanded), f"delivery={demanded}", words, _remedy(task, subject) or beyond)
    if task.acks_late:
        return Contract(
            "at_least_once",
            "task_acks_late",
            "a task whose worker is lost runs again",
            _remedy(task, subject) or BEYOND,
        )
    if child_lost and task.retry_on_worker_lost:
        return Contract(
            "at_least_once",
            "task_retry_on_worker_lost",
            "a task whose worker is lost is retried",
            _remedy(task, subject),
        )
    if child_lost and task.reject_on_worker_lost:
        return Contract(
            "at_least_once",
            "task_reject_on_worker_lost",
            "a task whose worker is lost goes back to its queue",
            _remedy(task, subject),
        )
    return Contract("any", "", "nothing is promised: the message is acknowledged before the body runs")


SPARE = 6  # attempts beyond its retries that an app may allow which counts deliveries by itself before it gives up


def most_attempts(task: Task) -> int:
    """After how many attempts a task that can never succeed must have ended. Celery itself sets no bound before 5.7."""
    return 1 + (3 if task.max_retries is None else task.max_retries) + SPARE


def _remedy(task: Task, subject: Subject) -> str:
    """What this task lacks for a redelivery when a child is lost, where its own options come from.

    An option of the task wins over the setting: where the task has some of them by itself, it is mended there.
    """
    options = {"acks_late": task.acks_late, "reject_on_worker_lost": task.reject_on_worker_lost}
    missing = [option for option, present in options.items() if not present]
    if not missing:
        return ""
    overridden = [option for option in missing if (found := subject.setting(f"task_{option}")) and found.value is True]
    if overridden:
        return f"take {' and '.join(f'{option}=False' for option in overridden)} off the task: it wins over the setting"
    own = any(options.values()) and not any(subject.setting(f"task_{option}") for option in options)
    said = " and ".join(f"{option}=True" if own else f"task_{option}=True" for option in missing)
    return f"set {said}{' on the task' if own else ''}"
