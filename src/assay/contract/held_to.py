"""What each task was held to in a run, part by part: by whom it is demanded, or what it is inferred from. Pure."""

from assay.contract import delivery
from assay.report import Contract, Part
from assay.subject import Subject, Task


def held_to(subject: Subject, names: dict[str, list[str]], demanded: str) -> list[Contract]:
    """One for each task that was run, in that order; `demanded` is for those whose contract says no delivery."""
    return [
        Contract(
            task=name,
            members=members,
            importance=subject.task(name).contract.importance or 0,
            parts=_parts(subject.task(name), subject, demanded),
        )
        for name, members in names.items()
    ]


def _parts(task: Task, subject: Subject, demanded: str) -> list[Part]:
    found = [
        _own(task, part) if getattr(task.contract, part) is not None else _inferred(task, part, subject, demanded)
        for part in ("delivery", "recovery_s", "attempts", "run_s", "queue")
    ]
    return [part for part in found if part is not None]


def _own(task: Task, part: str) -> Part:
    return Part(name=part, value=getattr(task.contract, part), demanded=True, place=task.contract_at.get(part, ""))


def _inferred(task: Task, part: str, subject: Subject, demanded: str) -> Part | None:
    """None where the configuration claims nothing of the kind."""
    match part:
        case "delivery":
            return _delivery(task, subject, demanded)
        case "attempts" if task.may_retry and task.max_retries is not None:
            return Part(name=part, value=1 + task.max_retries, by=f"max_retries={task.max_retries}")
        case "run_s" if task.time_limit:
            return Part(name=part, value=task.time_limit, by="time_limit")
        case "queue" if task.queue:
            return Part(name=part, value=task.queue)
    return None


def _delivery(task: Task, subject: Subject, demanded: str) -> Part:
    """Of a lost worker; where a lost child is held to more, that is said beside it."""
    whole, child = (delivery.of(task, subject, demanded, child_lost=lost) for lost in (False, True))
    if demanded != "inferred":
        by = "for all tasks" if subject.demanded != "inferred" else "by a chaos run, of all tasks"
        return Part(name="delivery", value=whole.delivery, demanded=True, place=subject.demanded_at, by=by)
    by = whole.setting
    if child.setting != whole.setting:
        by = f"{child.delivery} where a child alone is lost, by {child.setting}"
    return Part(name="delivery", value=whole.delivery, by=by, place=subject.place(whole.setting))
