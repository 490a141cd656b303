"""beat_schedule: what is published by the clock."""

import difflib
from collections.abc import Iterator

from assay.audit.finding import Kind
from assay.audit.rule import Found, View, rule
from assay.audit.written import Entry


@rule(Kind.BROKEN)
def of_no_task(view: View) -> Iterator[Found]:
    """An entry of beat_schedule that names no task of the app."""
    known = {task.name for task in view.subject.tasks}
    packages = {name.partition(".")[0] for name in known if "." in name}
    for entry in view.written.entries:
        if entry.task not in known and not entry.task.startswith("celery."):
            nearest = difflib.get_close_matches(entry.task, known, n=1, cutoff=0.75)
            own = not entry.task or bool(nearest) or entry.task.partition(".")[0] in packages
            yield _found(
                entry,
                f"there is no task {entry.task or 'in it'}: a worker of this app drops what it publishes",
                f"use {nearest[0]}" if nearest else "name a registered task (assay list tasks)",
                None if own else Kind.RISK,  # it may be another app's
            )


@rule(Kind.RISK)
def sooner_than_it_ends(view: View) -> Iterator[Found]:
    """An entry that is due again before its task must have ended."""
    limits = {task.name: task.time_limit or task.soft_time_limit for task in view.subject.tasks}
    for entry in view.written.entries:
        limit = limits.get(entry.task)
        if limit and entry.every_s is not None and entry.every_s <= limit:
            yield _found(
                entry,
                f"it is due every {entry.every_s:g} s, and {entry.task} may run for {limit:g} s: they pile up",
                "a longer period, a shorter limit, or a lock in the task",
            )


@rule(Kind.RISK)
def valid_for_ever(view: View) -> Iterator[Found]:
    """An entry without expires: after an outage all that is due runs at once."""
    limited = {task.name for task in view.subject.tasks if task.expires}
    entries = [entry for entry in view.written.entries if not entry.expires and entry.task not in limited]
    if entries:
        yield _found(
            entries[0],
            f"{len(entries)} of {len(view.written.entries)} entries have no expires: after an outage of the workers "
            "all that was due runs at once",
            'give it options={"expires": ...}, no longer than its period',
        )


@rule(Kind.RISK)
def in_utc(view: View) -> Iterator[Found]:
    """A crontab without a timezone: it is read as UTC."""
    entries = [entry for entry in view.written.entries if entry.crontab]
    if entries and not view.written.values.get("timezone"):
        yield _found(entries[0], "no timezone is set: its hours are those of UTC", "set timezone")


def _found(entry: Entry, observed: str, remedy: str, kind: Kind | None = None) -> Found:
    title = f"beat_schedule[{entry.name!r}]"
    return Found(["beat_schedule"], observed, remedy, place=entry.place, title=title, kind=kind)
