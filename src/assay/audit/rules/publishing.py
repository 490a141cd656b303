"""How tasks are published, and what their messages are made of."""

from collections.abc import Iterator

from assay.audit.finding import Change, Kind
from assay.audit.rule import Found, View, names, rule

PICKLES = {"pickle", "application/x-python-serialize"}
RACING = ("delay", "apply_async", "send_task")


@rule(Kind.BROKEN)
def eager(view: View) -> Iterator[Found]:
    """task_always_eager: every task runs in the process that calls it, and no setting of a worker matters."""
    key = "task_always_eager"
    if view.written.values.get(key):
        swallowed = "" if view.written.values.get("task_eager_propagates") else ", and what it raises is swallowed"
        yield Found(
            [key],
            f"each task runs in the process that calls it{swallowed}: nothing reaches a broker or a worker",
            f"set it for tests only: {key}=False",
            [Change(key, "False")],
        )


@rule(Kind.RISK)
def accepts_pickle(view: View) -> Iterator[Found]:
    """accept_content with pickle: whoever can write to the broker runs code in the workers."""
    for key in ("accept_content", "result_accept_content"):
        if PICKLES & {*(view.written.values.get(key) or ())}:
            yield Found(
                [key],
                "whoever can write to the broker or the backend runs code in its readers",
                f'set {key}=["json"], once nothing that is under way is pickled',
            )


@rule(Kind.RISK)
def writes_pickle(view: View) -> Iterator[Found]:
    """A serializer of pickle."""
    for key in ("task_serializer", "result_serializer"):
        if view.written.values.get(key) in PICKLES:
            yield Found([key], "its readers must accept pickle", f'set {key}="json"', [Change(key, '"json"')])
    tasks = [task for task in view.subject.tasks if task.serializer in PICKLES]
    if tasks and view.written.values.get("task_serializer") not in PICKLES:
        yield Found(
            [],
            f"{names(tasks, 'is', 'are')} sent as pickle",
            "leave its serializer out",
            tasks=tasks,
            title="serializer='pickle'",
        )


@rule(Kind.RISK)
def password_in_the_source(view: View) -> Iterator[Found]:
    """A broker's or a backend's password that is written in the source."""
    for key, place in view.written.passwords.items():
        yield Found(
            [key], "its password is written in the source", "read it from the environment", place=place, title=key
        )


@rule(Kind.RISK)
def published_before_the_commit(view: View) -> Iterator[Found]:
    """A task that is published within a transaction: a worker may look for rows that are not there yet."""
    for each in view.written.dispatches:
        if each.in_transaction and each.method in RACING:
            yield Found(
                [],
                f"{each.method}() within transaction.atomic(): a worker may begin before the rows are there, and the "
                "message stays when the transaction is rolled back",
                "use delay_on_commit(), or transaction.on_commit(partial(task.delay, ...))",
                place=each.place,
                title=f"{each.method}() in a transaction",
            )
