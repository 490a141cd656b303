"""The app imported once, and processes forked from it: `python -m assay.zygote` with the harness's socket as fd 3.

The first message names the app and is answered by its description, or by what was wrong with it. Each further one is a
Boot: the process is forked, its pid answered; exits are told as the supervisor tells them.
"""

import contextlib
import functools
import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any

import msgspec
from celery import Celery

from assay.boot import Boot
from assay.errors import UsageError
from assay.flip import Flip
from assay.role import become, detach

RECEIVE = 1 << 22
#: by a worker or a client of Celery 5.7 that was forked without them: a quarter of the processor time until it is ready
IMPORTED = (
    "assay.hollow",
    "assay.instrument",
    "billiard.heap",
    "billiard.popen_fork",
    "billiard.sharedctypes",
    "billiard.synchronize",
    "celery.app.control",
    "celery.app.events",
    "celery.app.log",
    "celery.apps.worker",
    "celery.events.dispatcher",
    "celery.events.receiver",
    "celery.utils.debug",
    "celery.utils.static",
    "celery.worker.autoscale",
    "celery.worker.components",
    "celery.worker.consumer.delayed_delivery",
    "celery.worker.strategy",
    "encodings.idna",
    "kombu.pidbox",
    "kombu.transport.pyamqp",
    "kombu.transport.redis",
    "kombu.utils.limits",
    "psutil",
)


def main() -> None:
    channel = socket.socket(fileno=3)
    request = json.loads(channel.recv(RECEIVE))
    app = None
    try:
        answer, app = _load(request)
    except UsageError as error:
        answer = {"error": str(error)}
    except Exception:
        answer = {"error": "", "broke": traceback.format_exc()}
    channel.send(json.dumps({**answer, "id": request["id"]}).encode())
    if app is not None:
        gc.collect()
        gc.freeze()  # the children share these pages
        _serve(channel, app)


def _load(request: dict[str, Any]) -> tuple[dict[str, Any], Celery]:
    from assay import flipping, inspection, loading
    from assay.inspection.unusable import unusable, without_backend

    os.chdir(request["workdir"])
    os.environ.update(request["env"])
    flips = msgspec.convert(request["flips"], list[Flip])
    if flips:
        flipping.before_tasks(flips)
    app = loading.load(request["app"], request["workdir"])
    if flips:
        flipping.settings(app, flips)  # once more: what was configured after the first task was made
        flipping.tasks(app, flips)
    if wrong := without_backend(app, request["workdir"]):
        raise UsageError(wrong)
    try:
        subject = inspection.describe(app, request["app"], request["workdir"])
    except Exception:
        if wrong := unusable(app, request["workdir"]):
            raise UsageError(wrong) from None
        raise
    _warm(app, request["pool"])
    # Django's system checks ran when the app was loaded, and Celery heeds nothing of them but that they raise: a
    # quarter of the processor time that a worker of AutoTest takes to start (celery/fixups/django.py)
    os.environ["CELERY_SKIP_CHECKS"] = "1"
    answer: dict[str, Any] = {"subject": msgspec.to_builtins(subject), "no_redis": _no_redis()}
    if request["audit"]:
        answer["written"] = _apart(lambda: _written(app, request["workdir"]))
    return answer, app


def _written(app: Celery, workdir: str) -> Any:
    from assay.inspection.written import written

    return msgspec.to_builtins(written(app, workdir))


def _apart(look: Callable[[], Any]) -> Any:
    """What `look` returns, in a process of its own: it makes the app's backend and asks its routers, and a worker that
    is forked later must find the app as it was imported. Raises RuntimeError with its traceback.
    """
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            answer = {"ok": look()}
        except BaseException:
            answer = {"broke": traceback.format_exc()}
        with os.fdopen(write, "wb") as pipe:
            pipe.write(json.dumps(answer).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(pid, 0)
    found = json.loads(told) if told else {"broke": f"it ended with status {status} and said nothing"}
    if "broke" in found:
        raise RuntimeError(found["broke"])
    return found["ok"]


def _no_redis() -> str:
    """Why this kombu cannot use Redis with what is installed beside it; "" where it can."""
    from kombu.exceptions import VersionMismatch

    try:
        from kombu.transport.redis import Channel

        with contextlib.suppress(AttributeError):  # what comes after the look at the release wants a channel
            Channel._get_client(None)  # type: ignore[arg-type, no-untyped-call]
    except (ImportError, VersionMismatch) as error:
        return " ".join(str(error).split())
    return ""


def _warm(app: Celery, pool: str) -> None:
    """Import what every worker and client imports at its start, so that it is paid once."""
    from celery import concurrency
    from celery.app import backends

    for name in IMPORTED:
        with contextlib.suppress(ImportError):  # not in this release
            importlib.import_module(name)
    concurrency.get_implementation(pool or "prefork")
    backends.by_url("redis://", app.loader)
    app.amqp.queues  # noqa: B018
    with contextlib.suppress(ImportError, AttributeError):
        from redis import utils

        # read from its package's metadata for each connection (redis 8), five times in a worker's start
        utils.get_lib_version = functools.cache(utils.get_lib_version)


def _serve(channel: socket.socket, app: Celery) -> None:
    wake_r, wake_w = os.pipe()
    os.set_blocking(wake_r, False)
    os.set_blocking(wake_w, False)
    signal.set_wakeup_fd(wake_w)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    watched: list[socket.socket | int] = [channel, wake_r]
    while True:
        ready, _, _ = select.select(watched, [], [])
        if wake_r in ready:
            os.read(wake_r, 512)
            _reap(channel)
        if channel in ready:
            data, fds, _, _ = socket.recv_fds(channel, RECEIVE, 4)
            if not data:
                os._exit(0)  # children die with this process
            message = json.loads(data)
            boot = msgspec.convert(message["boot"], Boot)
            pid = os.fork()
            if pid == 0:
                channel.close()
                os.close(wake_r)
                os.close(wake_w)
                _child(boot, app, fds)
            for fd in fds:
                os.close(fd)
            channel.send(json.dumps({"id": message["id"], "pid": pid}).encode())


def _child(boot: Boot, app: Celery, fds: list[int]) -> None:
    """Never returns."""
    status = 1
    try:
        detach(boot.log)
        random.seed()
        become(boot, app, socket.socket(fileno=fds[0]) if fds else None)
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
        if error.code is not None and not isinstance(error.code, int):
            print(error.code, file=sys.stderr)  # as Python itself does
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _reap(channel: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        channel.send(json.dumps({"exit": pid, "status": os.waitstatus_to_exitcode(status)}).encode())


if __name__ == "__main__":
    main()
