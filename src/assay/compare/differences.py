"""What else differs between two runs: settings and options with their places, and what the app ran on."""

import re
from typing import Any

from assay.compare.comparison import Difference
from assay.report import Part, Report
from assay.subject import CONTRACT

#: of a task in a report, what is no option: it does not say what becomes of the task
NO_OPTIONS = frozenset({"name", "place", "profile", "required", "left_out", "unread", "contract", "contract_at"})
#: what an option of a task may come from, beside the setting of its name with task_ before it
SOURCES = {
    "queue": ("task_routes", "task_queues", "task_default_queue"),
    "acks_on_failure": ("task_acks_on_failure_or_timeout", "task_acks_on_failure"),
    "acks_on_timeout": ("task_acks_on_failure_or_timeout", "task_acks_on_timeout"),
    "backend": ("result_backend",),
    "rate_limit": ("task_default_rate_limit",),
    "priority": ("task_default_priority",),
}
ANYWHERE = ("task_annotations",)
DEMAND = "delivery"  # what the team demands of every task; a claim names it, and no setting of Celery's
INFERRED = "inferred"
OFF = "off"
#: what an app may give as a value and mean nothing by
NOTHING = frozenset({None, OFF, INFERRED, "", "False", "None", "0", "[]", "{}", "()"})
GIVEN = re.compile(rf"((?:{CONTRACT})?\w+)=")  # a claim that is a setting, or a part of a contract, with its value
UNTOLD = ("platform",)  # by a baseline
#: of the environment, what no version of the app's stack is
NO_VERSIONS = frozenset({"platform", "celery-assay"})
#: by which versions are told first
FIRST = ("celery", "kombu", "billiard", "redis", "django", "python", "broker", "pool")


def settings(base: Report, current: Report) -> list[Difference]:
    """Settings that were given other values, options of tasks that no such setting accounts for, then contracts."""
    before, after = _given(base), _given(current)
    found = [
        Difference(
            name=key,
            before=_text(before.get(key)),
            after=_text(after.get(key)),
            place=place(current, key) or place(base, key),
        )
        for key in sorted(before.keys() | after.keys())
        if _text(before.get(key)) != _text(after.get(key))
    ]
    return found + _options(base, current, {each.name for each in found}) + _contracts(base, current)


def environment(base: Report, current: Report) -> list[Difference]:
    """Versions, broker, pool and kind of workers that are not the same; what was tested first."""
    before, after = _ran_on(base), _ran_on(current)
    names = [*FIRST, *sorted((before.keys() | after.keys()) - {*FIRST})]
    return [
        Difference(name=name, before=before.get(name), after=after.get(name))
        for name in names
        if before.get(name) != after.get(name) and not (name in UNTOLD and None in (before.get(name), after.get(name)))
    ]


def place(report: Report, key: str) -> str:
    """`file:line` of a setting, by its name of today; "" where it is not known."""
    if key == DEMAND:
        return next((row.place for row in report.results if row.claim.partition("=")[0] == DEMAND), "")
    return str(report.app.get("origins", {}).get(key, {}).get("place", ""))


def key_of(claim: str, report: Report) -> str:
    """The setting that a claim names, by its name of today: "CELERY_TASK_ACKS_LATE=True" is task_acks_late."""
    name = match[1] if (match := GIVEN.match(claim)) else claim
    origins = report.app.get("origins", {})
    return next((key for key, origin in origins.items() if origin.get("given") == name), name)


def _given(report: Report) -> dict[str, Any]:
    demanded = {row.claim.partition("=")[2] for row in report.results if row.claim.partition("=")[0] == DEMAND}
    return {**report.app.get("settings", {}), DEMAND: ", ".join(sorted(demanded)) or INFERRED}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _options(base: Report, current: Report, settings_changed: set[str]) -> list[Difference]:
    """Those of tasks that both have, taken together where they changed alike."""
    before, after = base.app.get("tasks", {}), current.app.get("tasks", {})
    groups: dict[tuple[str, str, str], list[str]] = {}
    for task in sorted(before.keys() & after.keys()):
        for option in sorted((before[task].keys() | after[task].keys()) - NO_OPTIONS):
            one, other = _value(before[task], option), _value(after[task], option)
            if one != other and not settings_changed & {f"task_{option}", *SOURCES.get(option, ()), *ANYWHERE}:
                groups.setdefault((option, one, other), []).append(task)
    return [
        Difference(name=option, before=one, after=other, tasks=tuple(tasks), place=after[tasks[0]].get("place", ""))
        for (option, one, other), tasks in groups.items()
    ]


def _contracts(base: Report, current: Report) -> list[Difference]:
    """Parts that the team requires of tasks, taken together where they changed alike."""
    before, after = _required(base), _required(current)
    groups: dict[tuple[str, str | None, str | None], list[str]] = {}
    for task in sorted(before.keys() & after.keys()):
        for part in sorted(before[task].keys() | after[task].keys()):
            one, other = (_of(terms[part]) if part in terms else None for terms in (before[task], after[task]))
            if one != other:
                groups.setdefault((part, one, other), []).append(task)
    return [
        Difference(
            name=f"{CONTRACT}{part}",
            before=one,
            after=other,
            tasks=tuple(tasks),
            place=next(terms[part].place for terms in (after[tasks[0]], before[tasks[0]]) if part in terms),
        )
        for (part, one, other), tasks in groups.items()
    ]


def _of(part: Part) -> str:
    return f"{part.value:g}" if isinstance(part.value, float) else str(part.value)


def _required(report: Report) -> dict[str, dict[str, Part]]:
    """{task: {part of its own contract: it}}"""
    return {
        task: {part.name: part for part in each.parts if part.demanded and not part.by}
        for each in report.contracts
        for task in dict.fromkeys((each.task, *each.members))
    }


def means_nothing(value: Any) -> bool:
    """Whether an option with this value is off. None and 0 are values of their own: no limit, no retry."""
    return value is False or value == "" or value == []


def _value(options: dict[str, Any], option: str) -> str:
    found = options.get(option, "")
    return OFF if means_nothing(found) else str(found)


def _ran_on(report: Report) -> dict[str, str]:
    broker = " ".join(str(report.broker[key]) for key in ("name", "version") if report.broker.get(key))
    return {**report.environment, "broker": broker}
