"""Which queue a message goes to, and whether anybody takes it from there."""

from collections.abc import Iterator

from assay.audit.finding import Change, Kind
from assay.audit.rule import Found, View, names, rule
from assay.counted import counted


@rule(Kind.BROKEN)
def nobody_consumes(view: View) -> Iterator[Found]:
    """A task that is routed to a queue which no worker of the app takes from."""
    consumed = view.consumed()
    plain = view.written.plain_queues and not view.queues and not view.subject.setting("task_queues")
    by_queue: dict[str, list[str]] = {}
    for task in view.subject.tasks:
        if task.queue and task.queue not in consumed:
            by_queue.setdefault(task.queue, []).append(task.name)
    for queue, named in by_queue.items():
        tasks = [task for task in view.subject.tasks if task.name in named]
        given = "by -Q" if view.queues else "without -Q"
        yield Found(
            ["task_routes"] if view.subject.setting("task_routes") else [],
            f"{names(tasks, 'goes', 'go')} to queue {queue}, and workers that are started {given} take from "
            f"{', '.join(sorted(consumed))} alone: the messages pile up, without a warning",
            f"declare it in task_queues, or start a worker with -Q {queue} and say so here: queues = [...]",
            [Change("task_queues", _queues(view))] if plain else [],
            tasks,
            title=f"queue {queue}",
        )


@rule(Kind.BROKEN)
def undeclared(view: View) -> Iterator[Found]:
    """A route to a queue that is not declared, where queues that are missing are not made."""
    tasks = [task for task in view.subject.tasks if task.name in view.written.undeclared]
    if tasks:
        yield Found(
            ["task_create_missing_queues", "task_routes"],
            f"publishing {names(tasks)} raises QueueNotFound: the route names a queue that task_queues lacks",
            "declare the queue in task_queues, or correct its name",
            tasks=tasks,
            title="task_routes",
        )


@rule(Kind.BROKEN)
def sent_to_nobody(view: View) -> Iterator[Found]:
    """A call in the sources that names a queue which no worker of the app takes from."""
    consumed = view.consumed() | {task.queue for task in view.subject.tasks}
    registered = {task.name for task in view.subject.tasks}
    for each in view.written.dispatches:
        own = each.method == "apply_async" or (each.method == "send_task" and each.task in registered)
        if own and each.queue and each.queue not in consumed | set(view.subject.aliases):
            refused = "it raises QueueNotFound" if not view.subject.create_missing_queues else "nobody takes it there"
            yield Found(
                [],
                f"{each.method}(queue={each.queue!r}) publishes to a queue that no worker of this app has: {refused}",
                "declare the queue in task_queues, or correct its name",
                place=each.place,
                title=f"queue={each.queue!r}",
            )


@rule(Kind.RISK)
def not_imported(view: View) -> Iterator[Found]:
    """A module with tasks that nothing imports: a worker drops their messages."""
    for each in view.written.unreached:
        yield Found(
            [],
            f"no worker imports {each.module}: messages for the {counted(len(each.tasks), 'task')} in it are "
            "acknowledged and dropped",
            f"name it: include=[{each.module!r}], or autodiscover_tasks() of its package",
            place=each.place,
            title=each.module,
        )


@rule(Kind.RISK)
def named_after_its_file(view: View) -> Iterator[Found]:
    """Tasks without a name of their own: when the file moves, messages on their way are of an unknown task."""
    tasks = [task for task in view.subject.tasks if task.name in view.written.unnamed]
    if tasks:
        yield Found(
            [],
            f"{names(tasks, 'is', 'are')} named after the module: move it, and messages that are under way are dropped",
            'give it a name: @task(name="...")',
            tasks=tasks,
            title="no name=",
        )


def _queues(view: View) -> str:
    """All that are consumed or routed to, as task_queues would declare them."""
    names = sorted({*view.consumed(), *(task.queue for task in view.subject.tasks if task.queue)})
    told = ", ".join(f'"{name}"' for name in names)
    return f'{{name: {{"exchange": name, "routing_key": name}} for name in ({told},)}}'
