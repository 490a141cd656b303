"""What a forked process of a cluster becomes: a Celery worker under test, or the client that publishes to it."""

import contextlib
import os
import signal
import socket
import sys
from pathlib import Path
from time import monotonic_ns
from typing import Any

import msgspec
from celery import Celery
from celery.backends.base import DisabledBackend
from celery.signals import after_task_publish
from celery.states import PENDING, SUCCESS
from kombu.exceptions import OperationalError

from assay import base_calls, hollow, instrument
from assay.bell import BELL, Ringer
from assay.boot import MIGRATED, Boot
from assay.canvas import Canvas
from assay.hold import Holder
from assay.instrument import callbacks
from assay.instrument.signals import sent_message
from assay.recorder import Recorder
from assay.redirect import apply
from assay.redirection import scaled_s
from assay.signatures import signature

RECEIVE = 1 << 22
QUICK = {"without_mingle": True, "without_gossip": True, "without_heartbeat": True}  # mingle alone waits for a second
loaded: Celery | None = None  # what a cold worker hands to Celery's command line


def become(boot: Boot, app: Celery, channel: socket.socket | None) -> None:
    """Run the role to its end. Called in a freshly forked process, or in a cold one; returns or raises SystemExit."""
    prepare(boot, app)
    if boot.role == "client":
        assert channel is not None
        Client(app, channel).serve()
    elif boot.role == "migrate":
        from assay.migration import migrate

        if told := migrate(boot.redirection.databases, boot.fixtures, migrations=boot.migrations):
            (Path(boot.folder) / MIGRATED).write_text(told, encoding="utf-8")
    elif boot.role == "base_calls":
        base_calls.ask(app, boot.calls, Path(boot.folder))
    else:
        work(boot, app)


def prepare(boot: Boot, app: Celery) -> Recorder:
    """Redirect the app, and put the recorder and the bodies in."""
    recorder = Recorder(f"{boot.folder}/events", boot.name)
    redirect(boot, app, recorder)
    if boot.role != "worker" or not boot.recorded:
        return recorder
    recorder.ring = Ringer(Path(boot.folder) / BELL).ring
    record(boot, app, recorder, Holder(recorder, boot.folder, boot.gate))
    return recorder


def redirect(boot: Boot, app: Celery, recorder: Recorder) -> None:
    """To where the run is; the recorder knows what became of the countdowns."""
    scale = recorder.countdown_scale = boot.redirection.countdown_scale

    def on_countdown(countdown_s: float | None) -> None:
        recorder.countdown_s = countdown_s
        recorder.asked_at_ns = monotonic_ns()
        least_s = boot.redirection.least_countdown_s
        recorder.countdown_scale = countdown_s / scaled_s(countdown_s, scale, least_s) if countdown_s else scale

    apply(app, boot.redirection, on_countdown)


def record(boot: Boot, app: Celery, recorder: Recorder, holder: Holder) -> None:
    """Record all that this worker does from now on, and give its tasks the bodies of the run."""
    recorder.point = holder.at_point
    recorder.is_scripted = holder.is_scripted
    recorder.count = holder.count
    instrument.install(app, recorder)
    hollow.install(app, recorder, holder, live=boot.live)
    if boot.callbacks:
        callbacks.register(app, recorder)


def work(boot: Boot, app: Celery) -> None:
    """celery.bin.worker's `worker` command without its command line (Celery 5.7, celery/bin/worker.py)."""
    from celery import concurrency

    app.set_default()
    app.set_current()
    pool = concurrency.get_implementation(boot.pool)
    worker = app.Worker(
        hostname=f"{boot.name}@assay",
        pool_cls=pool,
        concurrency=boot.concurrency,
        loglevel="INFO",
        logfile=None,
        queues=",".join(boot.queues) or None,
        quiet=True,
        **(QUICK | boot.options),
    )
    try:
        worker.start()
    finally:
        if worker._persistence is not None:  # at its end, as Python tells it by atexit in a worker that was not forked
            worker._persistence.save()
    sys.exit(worker.exitcode)


class Client:
    """Publishes and reads results for the harness, as a client process of the app would, one request at a time."""

    def __init__(self, app: Celery, channel: socket.socket) -> None:
        self._app = app
        self._channel = channel
        self._sent: list[str] | None = None  # ids of the messages that are sent while a canvas is published
        after_task_publish.connect(self._note, weak=False)

    def serve(self) -> None:
        with contextlib.suppress(Exception), self._app.producer_pool.acquire(block=True) as producer:
            producer.connection.default_channel  # noqa: B018 - connected before it is needed; publishing tells errors
        while data := self._channel.recv(RECEIVE):
            request = msgspec.json.decode(data)
            try:
                answer = {"ok": getattr(self, request.pop("do"))(**request)}
            except Exception as error:
                answer = {"error": type(error).__name__, "message": str(error)[:2000]}
            self._channel.send(msgspec.json.encode(answer))

    def publish(self, tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Publish each `{"task", "id", "args", "kwargs", "options"}` in order; when, and the error where it failed.

        It is in doubt where the connection was lost: one of kombu's tries may have arrived whose answer did not.
        """
        answers: list[dict[str, Any]] = []
        for each in tasks:
            asked_at_ns = monotonic_ns()
            task = self._app.tasks.get(each["task"])
            options = {**each.get("options", {}), "task_id": each["id"]}
            args, kwargs = each.get("args", []), each.get("kwargs", {})
            try:
                if task is None:
                    self._app.send_task(each["task"], args, kwargs, **options)
                else:
                    task.typing = False  # a hollow body takes any arguments
                    task.apply_async(args, kwargs, **options)
                answers.append({"asked_at_ns": asked_at_ns})
            except Exception as error:
                failure = f"{type(error).__name__}: {str(error)[:500]}"
                doubt = {"in_doubt": True} if isinstance(error, OperationalError) else {}
                answers.append({"asked_at_ns": asked_at_ns, "error": failure} | doubt)
        return answers

    def publish_canvas(self, canvas: dict[str, Any]) -> dict[str, Any]:
        """Publish it as a client of the app does; the ids of the messages that this very process has sent."""
        made = msgspec.convert(canvas, Canvas)
        for task in self._app.tasks.values():
            task.typing = False  # a hollow body takes any arguments
        sent = self._sent = []
        answer: dict[str, Any] = {"sent": sent, "asked_at_ns": monotonic_ns()}
        try:
            signature(self._app, made).apply_async()
        except Exception as error:
            answer["error"] = f"{type(error).__name__}: {str(error)[:500]}"
        finally:
            self._sent = None
        return answer

    def _note(self, headers: Any = None, body: Any = None, **_: Any) -> None:
        if self._sent is not None:
            self._sent.append(str(sent_message(headers, body).get("id", "")))

    def states(self, ids: list[str]) -> dict[str, str]:
        """What the result backend says of each invocation."""
        found = {}
        for each in ids:
            try:
                if isinstance(self._app.backend, DisabledBackend):
                    found[each] = PENDING  # nothing was stored, and to be asked would raise
                    continue
                found[each] = str(self._app.AsyncResult(each).state)
            except Exception as error:
                found[each] = f"unreadable: {type(error).__name__}: {error}"
        return found

    def forget(self, ids: list[str]) -> None:
        """Take the results of what is done out of a Redis; of one that succeeded what it returned.

        That it did so stays where a worker may look it up before it runs a message again: celery/app/trace.py,
        deduplicate_successful_tasks.
        """
        backend = self._app.backend
        keys = [backend.get_key_for_task(each) for each in ids]
        with contextlib.suppress(Exception):  # it may be away for a fault: then they stay
            kept = self._app.conf.worker_deduplicate_successful_tasks
            for key, value in zip(tuple(keys), backend.client.mget(keys), strict=True) if kept else ():
                meta = backend.decode(value) if value else {}
                if meta.get("status") == SUCCESS:
                    keys.remove(key)
                    backend.client.set(key, backend.encode({**meta, "result": None}), xx=True, keepttl=True)
            if keys:
                backend.client.delete(*keys)

    def control(self, command: str, arguments: dict[str, Any], timeout_s: float, destination: list[str]) -> Any:
        """Broadcast a remote control command and collect the replies."""
        return self._app.control.broadcast(
            command,
            arguments=arguments,
            reply=True,
            timeout=timeout_s,
            limit=len(destination) or None,
            destination=destination or None,
        )

    def revoke(self, id: str, terminate: bool) -> None:
        self._app.control.revoke(id, terminate=terminate)


def detach(log: str) -> None:
    """In a forked child: own session, dies with its parent, stdout and stderr into `log`."""
    from assay.supervisor import die_with_parent

    die_with_parent(os.getppid())
    with contextlib.suppress(PermissionError):
        os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)
