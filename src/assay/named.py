"""What the settings name in the app is there: a misspelt name would say nothing, and be silent about it."""

from fnmatch import fnmatchcase

from assay.errors import UsageError
from assay.selection import nearest
from assay.settings import Settings
from assay.subject import Subject


def must_be_there(settings: Settings, subject: Subject) -> list[str]:
    """Raises UsageError for queues, or a task pattern under `known`, that the app has nothing for.

    A queue may be named at a call alone, where Celery makes queues: then what is returned is a word of warning.
    """
    queues = subject.all_queues()
    strange = [queue for queue in settings.queues if queue not in queues]
    told = [
        f"queues: no task of {subject.app} goes to {queue}, and it declares no such queue"
        f"{nearest(queue, queues)}; there are {', '.join(queues)}"
        for queue in strange
    ]
    if told and (not subject.create_missing_queues or len(strange) == len(settings.queues)):
        raise UsageError(told[0])
    tasks = [task.name for task in subject.tasks]
    for entry in settings.known:
        if not any(fnmatchcase(name, entry.task) for name in tasks):
            hint = nearest(entry.task, tasks) or f"; `assay list tasks -A {subject.app}` names them"
            raise UsageError(f"known: {entry.scenario}: {subject.app} has no task {entry.task}{hint}")
    return told
