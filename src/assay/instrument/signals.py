"""Celery's own signals: attempts, retries that are published, what becomes of workers and children."""

import sys
from collections.abc import Callable
from typing import Any

from celery import signals

from assay.event import Kind, Point
from assay.recorder import Recorder
from assay.script import RECYCLING


def sent_message(headers: Any, body: Any) -> dict[str, Any]:
    """Where id and retries of a message stand that is being sent: its headers, or its body by protocol 1."""
    return headers if headers and "id" in headers else body if isinstance(body, dict) else {}


def connect(recorder: Recorder) -> None:
    """Be told by Celery; the receivers outlive the worker, as nothing else holds them."""

    def connect(signal: Any, receiver: Callable[..., None]) -> None:
        signal.connect(receiver, weak=False)

    def prerun(task_id: str, task: Any, **_: Any) -> None:
        request = task.request
        recorder.begin(task_id, task.name)
        info = request.delivery_info or {}
        recorder.record(
            Kind.ATTEMPT_STARTED,
            task_id,
            task.name,
            retries=request.retries or 0,
            redelivered=bool(info.get("redelivered")),
            start=recorder.start,
            **({"nth": recorder.nth} if recorder.nth else {}),
        )

    def postrun(task_id: str, task: Any, state: str | None = None, **_: Any) -> None:
        raised = sys.exc_info()[1]  # Celery tells it in passing, before it goes on (celery/app/trace.py, trace_task)
        leaves = {"leaves": True} if isinstance(raised, (SystemExit, KeyboardInterrupt)) else {}
        recorder.record(Kind.ATTEMPT_ENDED, task_id, task.name, state=state or "", **leaves)
        recorder.end()
        recorder.point(Point.AFTER_TRACE, task_id, recorder.start)
        recorder.finish()

    def told(name: str) -> Callable[..., None]:
        def receiver(sender: Any = None, task_id: str = "", request: Any = None, **_: Any) -> None:
            invocation = task_id or getattr(request, "id", "") or getattr(getattr(sender, "request", None), "id", "")
            recorder.record(Kind.SIGNAL, invocation or "", getattr(sender, "name", "") or "", name=name)

        return receiver

    def revoked(request: Any, terminated: bool = False, expired: bool = False, **_: Any) -> None:
        recorder.record(
            Kind.REVOKED,
            request.id,
            getattr(request, "task", "") or "",
            terminated=bool(terminated),
            expired=bool(expired),
        )

    def unknown(name: str = "", id: str = "", **_: Any) -> None:
        recorder.record(Kind.UNKNOWN_TASK, id or "", name or "")

    def sending(headers: Any = None, body: Any = None, **_: Any) -> None:
        if not recorder.countdown_s or recorder.countdown_scale == 1.0:
            return  # nothing is scaled: most messages
        source = sent_message(headers, body)
        if source.get("retries") and source.get("id") == recorder.invocation:
            recorder.retries()

    def sent(
        sender: Any, headers: Any = None, body: Any = None, routing_key: str = "", exchange: str = "", **_: Any
    ) -> None:
        source = sent_message(headers, body)
        invocation = str(source.get("id", ""))
        recorder.record(
            Kind.SENT,
            invocation,
            str(sender or ""),
            retries=source.get("retries") or 0,
            countdown_s=recorder.countdown_s,
            asked_at_ns=recorder.asked_at_ns,
            scale=recorder.countdown_scale,
            queue=routing_key or exchange,
            by=recorder.invocation,
        )
        recorder.countdown_s = None
        if invocation and recorder.invocation:
            point = Point.RETRY_SENT if invocation == recorder.invocation else Point.NEXT_SENT
            recorder.point(point, recorder.invocation, recorder.start)

    def ready(sender: Any, **_: Any) -> None:
        queues = sorted(str(queue.name) for queue in sender.task_consumer.queues)
        pool = sender.pool
        recorder.record(
            Kind.WORKER_READY,
            queues=queues,
            pool=type(pool).__module__.rpartition(".")[2],
            concurrency=sender.controller.concurrency,
            hostname=str(sender.hostname),
        )

    def child_stopping(exitcode: int | None = None, **_: Any) -> None:
        recorder.record(Kind.CHILD_STOPPING, exitcode=exitcode)
        recorder.point(Point.RECYCLING, RECYCLING, 0)
        recorder.close()

    connect(signals.task_prerun, prerun)
    connect(signals.task_postrun, postrun)
    for name in ("success", "failure", "retry", "rejected", "internal_error"):
        connect(getattr(signals, f"task_{name}"), told(f"task_{name}"))
    connect(signals.task_revoked, revoked)
    connect(signals.task_unknown, unknown)
    connect(signals.before_task_publish, sending)
    connect(signals.after_task_publish, sent)
    connect(signals.worker_init, lambda **_: recorder.record(Kind.WORKER_STARTED))
    connect(signals.worker_ready, ready)
    connect(
        signals.worker_shutting_down,
        lambda sig=None, how="", **_: recorder.record(Kind.WORKER_STOPPING, how=str(how).lower()),
    )
    connect(signals.worker_shutdown, lambda **_: recorder.record(Kind.WORKER_STOPPED))
    connect(signals.worker_process_init, lambda **_: recorder.record(Kind.CHILD_STARTED))
    connect(signals.worker_process_shutdown, child_stopping)
