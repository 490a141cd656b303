"""What the settings name in the app is there: a misspelt name would say nothing, and be silent about it."""

import datetime

from assay.errors import UsageError
from assay.selection import nearest
from assay.settings import Settings
from assay.subject import Subject


def must_be_there(settings: Settings, subject: Subject) -> list[str]:
    """Raises UsageError for queues, or a task pattern under `known`, that are misspelt; else words of warning.

    A queue may be named at a call alone, where Celery makes queues; a finding may be one of another app.
    """
    queues = subject.all_queues()
    strange = [queue for queue in settings.queues if queue not in queues and queue not in subject.aliases]
    told = [
        f"queues: no task of {subject.app} goes to {queue}, and it declares no such queue"
        f"{nearest(queue, queues)}; there are {', '.join(queues)}"
        for queue in strange
    ]
    if told and (not subject.create_missing_queues or len(strange) == len(settings.queues)):
        raise UsageError(told[0])
    tasks = [task.name for task in subject.tasks]
    today = datetime.datetime.now(datetime.UTC).date()
    for entry in settings.known:
        if not entry.expired(today) and not entry.names_one_of(tasks):
            said = f"known: {entry.scenario}: {subject.app} has no task {entry.task}"
            if hint := nearest(entry.task, tasks):
                raise UsageError(said + hint)
            told.append(f"{said}; `assay list tasks -A {subject.app}` names them")
    return told
