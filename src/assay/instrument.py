"""Where the recorder looks into Celery, kombu and billiard: signals where there are any, wrapped methods elsewhere.

Installed once in the worker's main process before it starts; the pool's children inherit it by fork. Nothing of the
app's own behaviour changes: each wrapper calls what it wraps with the arguments that it got. Checked against Celery 5.4
to 5.7; every place that is wrapped is asserted by a test for each of them.
"""

import functools
from collections.abc import Callable
from typing import Any

from celery import Celery, signals

from assay.event import Kind, Point
from assay.recorder import Recorder
from assay.script import RECYCLING


def install(app: Celery, recorder: Recorder) -> None:
    """Record everything that this worker does from now on."""
    _connect_signals(recorder)
    _wrap_messages(app, recorder)
    _wrap_requests(recorder)
    _wrap_pool(recorder)
    _wrap_consumer(recorder)
    _wrap_restoring(recorder)
    wrap_backend(type(app.backend), recorder)
    for task in app.tasks.values():
        wrap_backend(type(task.backend), recorder)


def wrap(owner: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replace `owner.name` by `make(original)`, once."""
    original = getattr(owner, name)
    if not getattr(original, "__assay__", False):
        replacement = functools.wraps(original)(make(original))
        replacement.__assay__ = True  # type: ignore[attr-defined]
        setattr(owner, name, replacement)


def task_id(message: Any) -> str:
    """The task's id where the message is one of a task (protocol 2 has it in the headers, both as correlation id)."""
    headers = message.headers or {}
    if "task" in headers:
        return str(headers.get("id", ""))
    body_is_task = "task" in (message.properties or {}) or getattr(message, "_assay_task", False)
    return str((message.properties or {}).get("correlation_id", "")) if body_is_task else ""


def _connect_signals(recorder: Recorder) -> None:
    def connect(signal: Any, receiver: Callable[..., None]) -> None:
        signal.connect(receiver, weak=False)

    def prerun(task_id: str, task: Any, **_: Any) -> None:
        request = task.request
        recorder.begin(task_id)
        info = request.delivery_info or {}
        recorder.record(
            Kind.ATTEMPT_STARTED,
            task_id,
            task.name,
            retries=request.retries or 0,
            redelivered=bool(info.get("redelivered")),
            start=recorder.start,
        )

    def postrun(task_id: str, task: Any, state: str | None = None, **_: Any) -> None:
        recorder.record(Kind.ATTEMPT_ENDED, task_id, task.name, state=state or "")
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

    def sent(
        sender: Any, headers: Any = None, body: Any = None, routing_key: str = "", exchange: str = "", **_: Any
    ) -> None:
        source = headers if headers and "id" in headers else body if isinstance(body, dict) else {}
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
        if invocation and invocation == recorder.invocation:
            recorder.point(Point.RETRY_SENT, invocation, recorder.start)

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


def _wrap_messages(app: Celery, recorder: Recorder) -> None:
    from kombu.message import Message
    from kombu.messaging import Consumer
    from kombu.transport.virtual.base import Transport

    delivering: list[str] = [""]

    def deliver(original: Callable[..., Any]) -> Callable[..., Any]:
        def _deliver(self: Any, message: Any, queue: str) -> Any:
            delivering[0] = queue
            try:
                return original(self, message, queue)
            finally:
                delivering[0] = ""

        return _deliver

    def receive(original: Callable[..., Any]) -> Callable[..., Any]:
        def _receive_callback(self: Any, message: Any) -> Any:
            convert = getattr(self.channel, "message_to_python", None)
            # amqp: what arrives has no headers attribute of kombu's kind yet; converting twice is harmless there
            probe = convert(message) if convert is not None else message
            _mark_protocol_1(probe)
            invocation = task_id(probe)
            if invocation:
                info = probe.delivery_info or {}
                queue = delivering[0] or _consumed(self, info.get("consumer_tag")) or info.get("routing_key", "")
                recorder.record(
                    Kind.RECEIVED,
                    invocation,
                    str((probe.headers or {}).get("task", "")),
                    queue=queue,
                    redelivered=bool(info.get("redelivered")),
                    tag=str(probe.delivery_tag),
                )
                recorder.point(Point.RECEIVED, invocation)
            return original(self, message)

        return _receive_callback

    def settle(
        kind: Kind, before: Point | None, after: Point | None, *, requeues: bool = False
    ) -> Callable[..., Callable[..., Any]]:
        def make(original: Callable[..., Any]) -> Callable[..., Any]:
            def method(self: Any, *args: Any, **kwargs: Any) -> Any:
                invocation = task_id(self)
                if not invocation:
                    return original(self, *args, **kwargs)
                task = app.tasks.get(str((self.headers or {}).get("task", "")))
                late = bool(getattr(task, "acks_late", False))
                if before and late:
                    recorder.point(before, invocation)
                try:
                    result = original(self, *args, **kwargs)
                except BaseException as error:
                    recorder.record(Kind.ACK_FAILED, invocation, error=f"{type(error).__name__}: {error}")
                    raise
                if kind is Kind.REJECTED:
                    asked = kwargs.get("requeue", bool(args and args[0]))
                    recorder.record(kind, invocation, requeue=requeues or bool(asked))
                else:
                    recorder.record(kind, invocation)
                if after:
                    recorder.point(after if late else Point.EARLY_ACKED, invocation)
                return result

            return method

        return make

    wrap(Transport, "_deliver", deliver)
    wrap(Consumer, "_receive_callback", receive)
    wrap(Message, "ack", settle(Kind.ACKED, Point.BEFORE_ACK, Point.AFTER_ACK))
    wrap(Message, "reject", settle(Kind.REJECTED, None, None))
    wrap(Message, "requeue", settle(Kind.REJECTED, None, None, requeues=True))


def _consumed(consumer: Any, tag: str | None) -> str:
    """The queue that this consumer tag is of."""
    return next((str(queue) for queue, own in consumer._active_tags.items() if own == tag), "")


def _mark_protocol_1(message: Any) -> None:
    """Protocol 1 has the task's name and id in the body alone; its correlation id is the task's id."""
    if "task" not in (message.headers or {}) and (message.properties or {}).get("correlation_id"):
        payload = message.payload if not message.errors else None
        message._assay_task = isinstance(payload, dict) and "task" in payload


def _wrap_requests(recorder: Recorder) -> None:
    from celery.worker.request import Request

    def on_accepted(original: Callable[..., Any]) -> Callable[..., Any]:
        def method(self: Any, pid: int, time_accepted: float) -> Any:
            recorder.record(Kind.ACCEPTED, self.id, self.task.name, child=pid)
            recorder.point(Point.ACCEPTED, self.id)
            return original(self, pid, time_accepted)

        return method

    def on_timeout(original: Callable[..., Any]) -> Callable[..., Any]:
        def method(self: Any, soft: bool, timeout: float) -> Any:
            kind = Kind.SOFT_LIMIT if soft else Kind.HARD_LIMIT
            recorder.record(kind, self.id, self.task.name, limit_s=timeout, child=self.worker_pid)
            return original(self, soft, timeout)

        return method

    wrap(Request, "on_accepted", on_accepted)
    wrap(Request, "on_timeout", on_timeout)


def _wrap_pool(recorder: Recorder) -> None:
    from billiard.pool import Pool
    from celery.concurrency.asynpool import AsynPool
    from celery.worker import WorkController

    def lost(original: Callable[..., Any]) -> Callable[..., Any]:
        def mark_as_worker_lost(self: Any, job: Any, exitcode: int) -> Any:
            invocation = str(getattr(job, "correlation_id", "") or "")
            recorder.record(Kind.CHILD_LOST, invocation, exitcode=exitcode, child=getattr(job, "_worker_pid", None))
            return original(self, job, exitcode)

        return mark_as_worker_lost

    def down(original: Callable[..., Any]) -> Callable[..., Any]:
        def on_job_process_down(self: Any, job: Any, pid_gone: int) -> Any:
            # A child that dies before main has read that it took the job is not reported as lost: the pool gives the
            # job to another child by itself (AsynPool.on_partial_read), though the body may have begun in the first.
            written_to = job._write_to
            handed_on = not job._accepted and written_to is not None and not written_to._is_alive()
            result = original(self, job, pid_gone)
            if handed_on:
                recorder.record(Kind.CHILD_LOST, str(job.correlation_id or ""), child=pid_gone, handed_on=True)
            return result

        return on_job_process_down

    def reload(original: Callable[..., Any]) -> Callable[..., Any]:
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(self, *args, **kwargs)
            recorder.record(Kind.POOL_RESTARTED)
            return result

        return method

    def soft(original: Callable[..., Any]) -> Callable[..., Any]:
        def wait_for_soft_shutdown(self: Any) -> Any:
            recorder.record(Kind.WORKER_STOPPING, how="cold")  # its signal is only sent after this wait
            return original(self)

        return wait_for_soft_shutdown

    if hasattr(WorkController, "wait_for_soft_shutdown"):  # Celery 5.5
        wrap(WorkController, "wait_for_soft_shutdown", soft)
    wrap(Pool, "mark_as_worker_lost", lost)
    wrap(AsynPool, "on_job_process_down", down)
    wrap(WorkController, "reload", reload)


def _wrap_consumer(recorder: Recorder) -> None:
    from celery.worker.consumer.consumer import Consumer, Evloop

    def lost(original: Callable[..., Any]) -> Callable[..., Any]:
        def method(self: Any, error: BaseException) -> Any:
            recorder.record(Kind.CONNECTION_LOST, error=f"{type(error).__name__}: {error}")
            return original(self, error)

        return method

    def up(original: Callable[..., Any]) -> Callable[..., Any]:
        def start(self: Any, consumer: Any) -> Any:
            recorder.record(Kind.CONNECTION_UP)
            return original(self, consumer)

        return start

    for name in ("on_connection_error_before_connected", "on_connection_error_after_connected"):
        wrap(Consumer, name, lost)
    wrap(Evloop, "start", up)


def _wrap_restoring(recorder: Recorder) -> None:
    """kombu's look for messages past their visibility timeout: always at a worker's start, then at each nth call."""
    from kombu.transport.redis import QoS

    restored: list[str] = []

    def sweep(original: Callable[..., Any]) -> Callable[..., Any]:
        def restore_visible(self: Any, *args: Any, **kwargs: Any) -> Any:
            restored.clear()
            result = original(self, *args, **kwargs)
            if restored or self._vrestore_count == 1:
                recorder.record(Kind.SWEPT, restored=len(restored))
            return result

        return restore_visible

    def give_back(original: Callable[..., Any]) -> Callable[..., Any]:
        def restore_by_tag(self: Any, tag: Any, *args: Any, **kwargs: Any) -> Any:
            restored.append(str(tag))
            return original(self, tag, *args, **kwargs)

        return restore_by_tag

    wrap(QoS, "restore_visible", sweep)
    wrap(QoS, "restore_by_tag", give_back)


def wrap_backend(backend: type, recorder: Recorder) -> None:
    """Record each result that this class of backend stores, and stop at the crash points around it."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def store_result(self: Any, task_id: str, result: Any, state: str, *args: Any, **kwargs: Any) -> Any:
            own = task_id == recorder.invocation and state != "STARTED"
            if own:
                recorder.point(Point.BEFORE_RESULT, task_id, recorder.start)
            try:
                stored = original(self, task_id, result, state, *args, **kwargs)
            except BaseException as error:
                recorder.record(Kind.RESULT_FAILED, task_id, state=state, error=f"{type(error).__name__}: {error}")
                raise
            recorder.record(Kind.RESULT_STORED, task_id, state=state)
            if own:
                recorder.point(Point.AFTER_RESULT, task_id, recorder.start)
            return stored

        return store_result

    wrap(backend, "store_result", make)
