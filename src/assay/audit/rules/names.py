"""Settings that nothing reads, or that another one wins over."""

from collections.abc import Iterator

from assay.audit.finding import Change, Kind
from assay.audit.promises import PROMISES
from assay.audit.rule import Found, View, names, rule
from assay.dead import dead_claims
from assay.subject import Setting

#: task options that are settings too: of the app's own tasks each may have its own
OPTIONS = ("acks_late", "reject_on_worker_lost", "time_limit", "soft_time_limit", "ignore_result", "track_started")
ENVIRONMENT = {"CELERY_BROKER_URL": "broker_url", "CELERY_RESULT_BACKEND": "result_backend"}
#: settings of today that are wanted as options of a task, and how they are given to every one
ANNOTATED = {
    "task_max_retries": "max_retries",
    "task_default_retry_delay": "default_retry_delay",
    "max_retries": "max_retries",
    "default_retry_delay": "default_retry_delay",
}

CELERYS = {"max_retries": 3, "default_retry_delay": 180.0}  # what a task has that says nothing


@rule(Kind.DEAD)
def unread(view: View) -> Iterator[Found]:
    """A setting, a task option or a route that nothing reads; a soft limit that never comes."""
    misplaced = {each.name for each in view.written.misplaced}
    for claim in dead_claims(view.subject):
        setting = next((each for each in view.subject.settings if str(each) == claim.setting), None)
        if setting and (setting.given or setting.key) in misplaced:
            continue
        tasks = [task for task in view.subject.tasks if task.name in claim.tasks]
        kind = Kind.DEAD if setting or "task_routes" in claim.setting else Kind.BROKEN
        changes = _instead(setting, view) if setting else []
        yield Found(
            [setting.key] if setting else [],
            claim.observed,
            claim.remedy,
            changes,
            tasks,
            claim.place,
            claim.setting,
            kind,
        )


def _instead(setting: Setting, view: View) -> list[Change]:
    """What was meant, where that is certain; nothing otherwise: to take it out alone would lose the intent."""
    if setting.key.lower() in ANNOTATED:
        again = [Change("task_annotations", _annotations(view))] if _annotatable(view) else []
        return [Change(setting.key), *again]
    plain = isinstance(setting.value, bool | int | float)
    if plain and setting.nearest in PROMISES and view.subject.setting(setting.nearest) is None:
        return [Change(setting.key), Change(setting.nearest, repr(setting.value))]
    return []


@rule(Kind.DEAD)
def wrong_namespace(view: View) -> Iterator[Found]:
    """A name that would be read under the app's namespace, and is given without it, or under another."""
    for each in view.written.misplaced:
        yield Found(
            [],
            f"this app reads that setting as {each.wanted}: nobody reads {each.name}",
            f"call it {each.wanted}",
            place=each.place,
            title=each.name,
        )


@rule(Kind.DEAD)
def given_twice(view: View) -> Iterator[Found]:
    """A setting that is given under two names with two values."""
    for loser, winner in view.written.overridden.items():
        setting = next((each for each in view.subject.settings if loser in (each.given, each.key)), None)
        yield Found(
            [setting.key] if setting else [],
            f"{winner} gives another value for the same setting, and wins",
            "take one of the two out",
            place=setting.place if setting else "",
            title=loser,
        )


@rule(Kind.DEAD)
def environment_wins(view: View) -> Iterator[Found]:
    """CELERY_BROKER_URL or CELERY_RESULT_BACKEND in the environment: they win over the configuration."""
    for variable, key in ENVIRONMENT.items():
        if variable in view.written.environment and view.subject.setting(key):
            yield Found([key], f"{variable} is set in the environment and wins", f"unset {variable}")


@rule(Kind.DEAD)
def overridden_by_every_task(view: View) -> Iterator[Found]:
    """A setting for all tasks that each task has a value of its own for."""
    for option in OPTIONS:
        key = f"task_{option}"
        setting = view.subject.setting(key)
        tasks = view.subject.tasks
        if setting is None or not tasks or not isinstance(setting.value, bool | int | float):
            continue
        if all((getattr(task, option) or None) != (setting.value or None) for task in tasks):
            yield Found(
                [key],
                f"{names(tasks, 'has', 'have')} {option}={getattr(tasks[0], option)} of their own, which wins",
                "take the option off the tasks, or the setting out",
                [],
                tasks,
                setting.place,
            )


def _annotatable(view: View) -> bool:
    """An annotation wins over decorators too: only where no task has a value of its own."""
    given = {ANNOTATED[key] for each in view.subject.settings if (key := each.key.lower()) in ANNOTATED}
    return not view.subject.setting("task_annotations") and all(
        getattr(task, option) == CELERYS[option] for option in given for task in view.subject.tasks
    )


def _annotations(view: View) -> str:
    """All options that are given as settings which nothing reads, as task_annotations would give them."""
    given = {each.key.lower(): each.value for each in view.subject.settings}
    options = {option: given[key] for key, option in ANNOTATED.items() if key in given}
    return '{"*": {' + ", ".join(f'"{option}": {value!r}' for option, value in options.items()) + "}}"
