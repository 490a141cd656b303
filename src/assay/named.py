"""What the settings name in the app is there: a misspelt name would say nothing, and be silent about it."""

from fnmatch import fnmatchcase

from assay.errors import UsageError
from assay.selection import nearest
from assay.settings import Settings
from assay.subject import Subject


def must_be_there(settings: Settings, subject: Subject) -> None:
    """Raises UsageError for a queue, or a task pattern under `known`, that the app has nothing for."""
    queues = subject.all_queues()
    for queue in settings.queues:
        if queue not in queues:
            raise UsageError(
                f"queues: no task of {subject.app} goes to {queue}, and it declares no such queue"
                f"{nearest(queue, queues)}; there are {', '.join(queues)}"
            )
    tasks = [task.name for task in subject.tasks]
    for entry in settings.known:
        if not any(fnmatchcase(name, entry.task) for name in tasks):
            hint = nearest(entry.task, tasks) or f"; `assay list tasks -A {subject.app}` names them"
            raise UsageError(f"known: {entry.scenario}: {subject.app} has no task {entry.task}{hint}")
