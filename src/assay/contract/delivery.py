"""What a task is held to under a fault: what the team requires, else what the task's own configuration claims."""

from typing import Literal, cast

import msgspec

from assay.celery_findings import BEYOND
from assay.contract.terms import value
from assay.subject import CONTRACT, Subject, Task

Delivery = Literal["at_least_once", "at_most_once", "effectively_once", "any"]


class Contract(msgspec.Struct, frozen=True):
    """`setting` is what makes the claim, "" where nothing does: then any outcome is allowed and shown as it is."""

    delivery: Delivery
    setting: str
    promise: str
    remedy: str = ""

    @property
    def completes(self) -> bool:
        """Whether all work is done in the end: else a loss is allowed, and so is what results and signals say of it."""
        return self.delivery in ("at_least_once", "effectively_once")


def of(task: Task, subject: Subject, demanded: str, *, child_lost: bool) -> Contract:
    """The delivery contract of `task` when a child (or, not `child_lost`, the whole worker) is lost.

    `demanded` is for tasks whose own contract says nothing of it; "inferred": what the configuration claims.

    Early acknowledgement, Celery's default, claims nothing. `task_reject_on_worker_lost` claims that a lost child loses
    no task whether or not late acknowledgement makes it work, and says nothing of a lost main process, with which goes
    who would reject it; `task_acks_late` claims it for any lost process.
    """
    if own := task.contract.delivery:
        words = f"delivery {own.replace('_', ' ')}, by the task's contract"
        return Contract(own, claim(task, "delivery"), words, _demanded(own, task, subject, child_lost=child_lost))
    if demanded != "inferred":
        words = f"delivery {demanded.replace('_', ' ')}, as demanded"
        remedy = _demanded(demanded, task, subject, child_lost=child_lost)
        return Contract(cast(Delivery, demanded), f"delivery={demanded}", words, remedy)
    if task.acks_late:
        return Contract(
            "at_least_once",
            "task_acks_late",
            "a task whose worker is lost runs again",
            redelivery(task, subject, child_lost=child_lost) or BEYOND,
        )
    if child_lost and task.retry_on_worker_lost:
        return Contract(
            "at_least_once",
            "task_retry_on_worker_lost",
            "a task whose worker is lost is retried",
            redelivery(task, subject),
        )
    if child_lost and task.reject_on_worker_lost:
        return Contract(
            "at_least_once",
            "task_reject_on_worker_lost",
            "a task whose worker is lost goes back to its queue",
            redelivery(task, subject),
        )
    return Contract("any", "", NOTHING)


NOTHING = "nothing is promised: the message is acknowledged before the body runs"


def claim(task: Task, part: str) -> str:
    """A part of its contract, as reports name it: "contract run_s=60"."""
    return f"{CONTRACT}{part}={value(task.contract, part)}"


SPARE = 6  # attempts beyond its retries that an app may allow which counts deliveries by itself before it gives up


def most_attempts(task: Task) -> int:
    """After how many attempts a task that can never succeed must have ended. Celery itself sets no bound before 5.7."""
    if task.contract.attempts:
        return task.contract.attempts
    return 1 + (3 if task.max_retries is None else task.max_retries) + SPARE


def _demanded(delivery: str, task: Task, subject: Subject, *, child_lost: bool) -> str:
    """What would meet a demand, whatever the settings claim."""
    again = redelivery(task, subject, child_lost=child_lost)
    match delivery:
        case "at_least_once":
            return again or BEYOND
        case "at_most_once":
            return _no_redelivery(task, subject) or BEYOND
        case "effectively_once":
            return "; ".join(part for part in (again, _once(task, subject)) if part)
    return ""


def redelivery(task: Task, subject: Subject, *, child_lost: bool = True) -> str:
    """What this task lacks for one, where its own options come from.

    With the main process goes who would reject the message: an acknowledgement that is late does it alone then. An
    option of the task wins over the setting: where the task has some of them by itself, it is mended there.
    """
    options = {"acks_late": task.acks_late, "reject_on_worker_lost": task.reject_on_worker_lost}
    missing = [option for option, present in options.items() if not present]
    if not missing or (task.acks_late and not child_lost):
        return ""
    overridden = [option for option in missing if _is_set(subject, option)]
    if overridden:
        return f"take {' and '.join(f'{option}=False' for option in overridden)} off the task: it wins over the setting"
    own = any(options.values()) and not any(subject.setting(f"task_{option}") for option in options)
    said = " and ".join(f"{option}=True" if own else f"task_{option}=True" for option in missing)
    return f"set {said}{' on the task' if own else ''}"


def _no_redelivery(task: Task, subject: Subject) -> str:
    """What makes this task come back."""
    on = [option for option in ("acks_late", "retry_on_worker_lost") if getattr(task, option)]
    return " and ".join(
        f"set task_{option}=False" if _is_set(subject, option) else f"take {option}=True off the task" for option in on
    )


def _is_set(subject: Subject, option: str) -> bool:
    """Whether the app's setting for it is on."""
    found = subject.setting(f"task_{option}")
    return found is not None and found.value is True


def _once(task: Task, subject: Subject) -> str:
    """What makes a second run of the body harmless, or spares it; what Celery's deduplication leaves out.

    Source: celery/app/trace.py, build_tracer.
    """
    body = "make the body idempotent: it may run again when its work is done"
    left_out = "not one whose worker died between its work and that, nor one that still runs elsewhere"
    if task.ignore_result:
        return body
    if subject.deduplicates and task.acks_late and subject.result_backend not in ("disabled", "rpc"):
        return f"{body}. worker_deduplicate_successful_tasks skips what comes back with its SUCCESS stored; {left_out}"
    return (
        f"{body}. worker_deduplicate_successful_tasks=True, with task_acks_late and a result backend, skips what comes "
        f"back with its SUCCESS stored; {left_out}"
    )
