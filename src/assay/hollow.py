"""Bodies in the worker under test: the scripted stand-in for a task's body, or the real one with its edges recorded.

Only `run` is replaced (what `autoretry_for` wraps, where it does), on the task's own instance: name, base class,
options, hooks, annotations, routes and `__call__` stay the user's own.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from billiard.pool import SIG_SOFT_TIMEOUT
from celery import Celery, Task
from celery.exceptions import Ignore, Reject, SoftTimeLimitExceeded
from kombu.utils.imports import symbol_by_name

from assay.body import body_of, replace_body
from assay.event import Kind, Point
from assay.hold import Holder
from assay.recorder import Recorder
from assay.script import Act
from assay.signatures import signature
from assay.wait import work


class PlannedFailure(Exception):
    """What a hollow body raises where its script says so."""


def install(app: Celery, recorder: Recorder, holder: Holder, *, live: bool) -> None:
    """Replace the body of every task of the user; in live mode the real body runs between the recorded edges."""
    for name, task in app.tasks.items():
        if not name.startswith("celery."):
            replace_body(task, _live(task, body_of(task), recorder) if live else _hollow(task, recorder, holder))
            if not live:
                task.typing = False  # the scripted body takes any arguments, also those of its own retry


def _edges(task: Task, recorder: Recorder, body: Callable[[str, int], Any]) -> Any:
    invocation, start = recorder.called or str(task.request.id), recorder.start
    recorder.record(Kind.BODY_ENTERED, invocation, task.name, start=start)
    try:
        recorder.point(Point.BODY_ENTER, invocation, start)
        result = body(invocation, start)
    except BaseException as error:
        recorder.record(
            Kind.BODY_EXITED, invocation, task.name, raised=type(error).__name__, message=_first_line(error)
        )
        raise
    recorder.record(Kind.BODY_EXITED, invocation, task.name)
    recorder.point(Point.BODY_EXIT, invocation, start)
    return result


def _first_line(error: BaseException) -> str:
    try:
        return next(iter(str(error).splitlines()), "")[:200]
    except Exception:  # an exception of the app's own may not be printable
        return ""


def _live(task: Task, original: Callable[..., Any], recorder: Recorder) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        return _edges(task, recorder, lambda invocation, start: original(*args, **kwargs))

    return run


def _hollow(task: Task, recorder: Recorder, holder: Holder) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        return _edges(task, recorder, lambda invocation, start: _act(task, recorder, invocation, start, holder))

    return run


def _act(task: Task, recorder: Recorder, invocation: str, start: int, holder: Holder) -> Any:
    act = holder.script(invocation).act(start)
    if act.ignores_term:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if act.ignores_soft:
        _ignore_soft_limits()
    ballast = bytearray(act.memory_mib << 20)
    try:
        work(act.work_s / 2)
        recorder.point(Point.BODY_MIDDLE, invocation, start)
        work(act.work_s / 2)
    except SoftTimeLimitExceeded:
        recorder.record(Kind.EFFECT, invocation, task.name, soft_limit=True)
        if not act.handles_soft:
            raise
        return "cleaned up"
    del ballast
    recorder.record(Kind.EFFECT, invocation, task.name, done=True)
    return _end(task, act)


def _ignore_soft_limits() -> None:
    """A worker that stops may raise a second one (docs/celery-findings.md): no `except` catches both for certain."""
    with contextlib.suppress(ValueError):  # a pool of threads has no soft limit
        signal.signal(SIG_SOFT_TIMEOUT, signal.SIG_IGN)


def _end(task: Task, act: Act) -> Any:
    match act.ends:
        case "raise":
            _fail(task, act)
        case "replace" if act.by:
            raise task.replace(signature(task.app, act.by))
        case "sys_exit":
            sys.exit(3)
        case "os_exit":
            os._exit(3)
        case "kill_self":
            os.kill(os.getpid(), signal.SIGKILL)
        case "ignore":
            raise Ignore
        case "reject" | "requeue":
            raise Reject("planned", requeue=act.ends == "requeue")
    return "x" * act.result_bytes if act.result_bytes else None


def _fail(task: Task, act: Act) -> None:
    if act.error == "plain":
        raise PlannedFailure("planned")
    given = getattr(task, "autoretry_for", ()) or ()
    for error in getattr(task, "assay_flipped_errors", given):  # what the app itself retries for, flipped or not
        if isinstance(error, str):
            error = symbol_by_name(error)  # type: ignore[no-untyped-call]
        raise transient(error)
    raise task.retry(exc=PlannedFailure("planned"))


def transient(error: type[BaseException]) -> BaseException:
    """An instance that `except error` catches; a subclass, since the class itself may demand arguments."""

    def __init__(self: BaseException) -> None:
        Exception.__init__(self, "planned")

    made = type(error.__name__, (error,), {"__init__": __init__, "__module__": error.__module__})
    return made()  # type: ignore[no-any-return]
