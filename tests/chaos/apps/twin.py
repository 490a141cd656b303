"""One app that keeps all its promises, and its twins: ASSAY_TEST_FLIP names the bugs that are planted, with commas."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from typing import Any

import celery
from billiard import active_children
from celery import Celery, Task
from celery.app.defaults import SETTING_KEYS
from celery.exceptions import Ignore, Retry, SoftTimeLimitExceeded, TimeLimitExceeded, WorkerLostError
from celery.signals import celeryd_init, worker_process_init, worker_shutdown, worker_shutting_down
from celery.worker import state
from celery.worker.consumer import Consumer
from celery.worker.request import Request
from kombu import Exchange, Queue

FLIPS = set(filter(None, os.environ.get("ASSAY_TEST_FLIP", "").split(",")))


def flipped(name: str) -> bool:
    return name in FLIPS


COUNTS_STARTS = celery.VERSION < (5, 7) and not flipped("lost_is_no_retry")
MOST_STARTS = 7


class TooManyStarts(Exception):
    """This task has killed its worker often enough."""


class Hasty(Request):
    """Acknowledges a message as soon as it has come."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.message.ack()


class Stubborn(Request):
    """Gives every lost task back to its queue, also one whose result is stored."""

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> None:
        self.reject(requeue=True)


class Silent(Request):
    """Keeps a hard time limit to itself: nothing is recorded."""

    def on_timeout(self, soft: bool, timeout: float) -> None:
        if not soft:
            self.acknowledge()


class GivesBack(Request):
    """Gives a task back to its queue after a hard time limit, as Celery 5.7 does with task_acks_on_timeout=False."""

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> None:
        if isinstance(getattr(exc_info.exception, "exc", exc_info.exception), TimeLimitExceeded):
            return self.reject(requeue=True)
        return super().on_failure(exc_info, send_failed_event, return_ok)


class Unaware(Request):
    """Runs what was revoked, and what has expired."""

    def revoked(self) -> bool:
        return False


class Counts(Request):
    """Counts a member of a chord's header whose child died between storing its result and counting it.

    Celery 5.7 acknowledges it as done (celery/worker/request.py, Request.on_failure), older releases give it back, and
    it is deduplicated (celery/app/trace.py, build_tracer): none of them counts it.
    """

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> None:
        lost = isinstance(getattr(exc_info.exception, "exc", exc_info.exception), WorkerLostError)
        meta = self.task.backend.get_task_meta(self.id) if lost and self._context.chord else {}
        stored = meta.get("status") == "SUCCESS"
        if stored and flipped("part_uncounted"):
            self.acknowledge()
            return
        if stored:
            self.task.backend.on_chord_part_return(self._context, "SUCCESS", meta["result"])
        super().on_failure(exc_info, send_failed_event, return_ok)


class Survivor(Consumer):
    """Outlives that its broker dies while it has something unacknowledged and asks for more.

    Its channel's close first reads what it has asked for, and fails; Celery 5.7 closes it once more then, without a
    connection, and ends by an AttributeError: docs/celery-findings.md.
    """

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        for channel in getattr(self.connection.transport, "channels", None) or ():
            channel._in_poll = None
        super().on_connection_error_after_connected(exc)


class Base(Task):
    autoretry_for = (ConnectionError,)
    max_retries = 3
    default_retry_delay = 60

    Request = Counts
    if flipped("acks_at_receipt"):
        Request = Hasty
    if flipped("always_requeues"):
        Request = Stubborn
    if flipped("silent_timeout"):
        Request = Silent
    if flipped("redelivers_failed"):
        Request = GivesBack
    if flipped("runs_revoked"):
        Request = Unaware
    if flipped("no_retries_allowed"):
        max_retries = 0

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        """Before 5.7 nothing in Celery counts lost workers: a correct app counts starts by itself."""
        if flipped("heeds_interrupt"):
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        if COUNTS_STARTS:
            backend = self.backend
            if backend.client.incr(backend.get_key_for_task(task_id, "-starts")) > MOST_STARTS:
                raise TooManyStarts(task_id)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().__call__(*args, **kwargs)
        except Retry:
            raise
        except SoftTimeLimitExceeded:
            if flipped("swallows_soft_limit"):
                return None
            raise
        except Exception as error:
            if flipped("swallows_errors"):
                return None
            if flipped("all_errors_alike"):
                raise self.retry(exc=error) from error
            raise

    def apply_async(self, *args: Any, **options: Any) -> Any:
        if flipped("loses_queue"):
            options["queue"] = "default"
        if flipped("callbacks_stray") and self.name == "twin.other":
            options["queue"] = "own"
        for name in ("link", "link_error", "chord"):
            if flipped(f"loses_{name}"):
                options.pop(name, None)
        if flipped("falls_back") and str(options.get("queue")).endswith("_misspelt"):
            options["queue"] = "default"
        if flipped("longer_at_call"):
            options["time_limit"] = 1000
        if flipped("longer_soft_at_call"):
            options["soft_time_limit"] = 1500
        if flipped("shorter_at_call"):
            options.update(time_limit=250, soft_time_limit=150)
        return super().apply_async(*args, **options)

    def retry(self, *args: Any, **options: Any) -> Any:
        if flipped("never_retries"):
            raise Ignore
        if flipped("retries_for_ever"):
            self.request.update(retries=0)
        if flipped("retries_too_early"):
            options["countdown"] = 5
        if flipped("retries_elsewhere"):
            options["queue"] = "default"
        return super().retry(*args, **options)

    def replace(self, sig: Any) -> Any:
        if flipped("replaces_alone"):
            self.request.update(chain=None)
        return super().replace(sig)

    def on_retry(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        if flipped("tells_each_retry"):
            self.backend._call_task_errbacks(self.request, exc, None)

    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
        if flipped("forgets_result"):
            self.backend.forget(task_id)
        if flipped("calls_back_again"):
            for each in self.request.callbacks or ():
                self.app.signature(each).apply_async((retval,))

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        if flipped("sends_again"):
            self.apply_async(args, kwargs, task_id=task_id)


class App(Celery):
    def _get_backend(self) -> Any:
        """Before 5.5 the Redis backend does not know for which errors to try again, whatever it is configured to."""
        backend = super()._get_backend()
        if celery.VERSION < (5, 5):
            backend.exception_safe_to_retry = lambda error: isinstance(error, backend.connection_errors)
        if flipped("hides_started"):
            store = backend.store_result
            backend.store_result = lambda task_id, result, state, *args, **kwargs: (
                None if state == "STARTED" else store(task_id, result, state, *args, **kwargs)
            )
        return backend


app = App("twin", task_cls=Base)
app.conf.update(
    broker_url="redis://localhost:6379/0",
    result_backend="redis://localhost:6379/1",
    task_default_queue="default",
    task_queues={name: {"exchange": name, "routing_key": name} for name in ("default", "own")},
    task_create_missing_queues=False,
    task_routes={"twin.work": {"queue": "own"}},
    task_acks_late=not flipped("early"),
    task_reject_on_worker_lost=not flipped("keeps_lost"),
    task_track_started=True,
    result_backend_always_retry=not flipped("gives_up_storing"),
    redis_socket_timeout=0.6 if flipped("impatient") else 120.0,
    worker_state_db="/var/lib/twin/%n.state",
    broker_connection_retry=not flipped("no_reconnect"),
    task_time_limit=600,
    task_soft_time_limit=500,
    worker_prefetch_multiplier=4 if flipped("greedy") else 1,
    worker_max_tasks_per_child=4 if flipped("few_a_child") else 50,
    worker_max_memory_per_child=300_000,
    worker_pool_restarts=True,
    worker_deduplicate_successful_tasks=not flipped("no_deduplication"),
)
newer = {"task_retry_on_worker_lost": not flipped("lost_is_no_retry"), "worker_soft_shutdown_timeout": 20.0}
app.conf.update({key: value for key, value in newer.items() if key in SETTING_KEYS})  # older releases lack them
# A connection on which nothing arrives any more is given up after a minute, by the kernel.
app.conf.broker_transport_options = {
    "socket_keepalive": True,
    "socket_keepalive_options": {
        socket.TCP_KEEPIDLE: 30,
        socket.TCP_KEEPINTVL: 10,
        socket.TCP_KEEPCNT: 3,
        socket.TCP_USER_TIMEOUT: 60_000,
    },
}
if celery.VERSION >= (5, 7):  # or a worker that is back too soon ends with RESOURCE_LOCKED: docs/celery-findings.md
    app.conf.update(control_queue_exclusive=False, control_queue_durable=True)
    if not flipped("closes_twice"):
        app.conf.worker_consumer = "twin:Survivor"
if flipped("trusts_connections"):
    app.conf.broker_transport_options = {"health_check_interval": 0}
    app.conf.broker_heartbeat = 0
if flipped("hurries"):  # a slow answer is taken for a lost connection
    app.conf.broker_transport_options["socket_timeout"] = 0.3
if flipped("short_visibility"):
    app.conf.broker_transport_options["visibility_timeout"] = 50
if flipped("redelivers_failed"):
    app.conf.task_acks_on_failure_or_timeout = False
if flipped("no_limits"):
    app.conf.update(
        task_time_limit=None,
        task_soft_time_limit=None,
        worker_max_tasks_per_child=None,
        worker_max_memory_per_child=None,
        worker_pool_restarts=False,
    )
if flipped("queues_without_acks"):
    app.conf.task_queues = [Queue(name, Exchange(name), routing_key=name, no_ack=True) for name in ("default", "own")]
if flipped("route_to_nowhere"):
    app.conf.update(task_routes={"twin.work": {"queue": "nowhere"}}, task_create_missing_queues=True)
if flipped("counts_too_few"):
    from celery.backends.redis import RedisBackend

    set_chord_size = RedisBackend.set_chord_size
    RedisBackend.set_chord_size = lambda self, group_id, chord_size: set_chord_size(self, group_id, chord_size - 1)
if flipped("memory_unseen"):
    import billiard.pool

    billiard.pool.mem_rss = lambda: 0
if flipped("leaves_unknown"):
    Consumer.on_unknown_task = lambda self, body, message, exc: None


if flipped("hoards"):
    from celery.worker.consumer.tasks import Tasks

    begin = Tasks.start

    def take_more(self: Any, c: Any) -> None:
        c.initial_prefetch_count = 20
        begin(self, c)

    Tasks.start = take_more
if flipped("deaf_after_loss"):
    from celery.worker.consumer.tasks import Tasks

    start_tasks = Tasks.start

    def start(self: Any, c: Any) -> None:
        start_tasks(self, c)
        if c.restart_count > 0:
            c.task_consumer.consume = lambda *_, **__: None

    Tasks.start = start
if flipped("strays_after_loss") or flipped("limitless_after_loss"):
    from celery.worker.consumer.tasks import Tasks

    consume_tasks = Tasks.start

    def start_again(self: Any, c: Any) -> None:
        consume_tasks(self, c)
        if c.restart_count > 0 and flipped("strays_after_loss"):
            for queue in app.conf.task_queues:
                c.hub.call_later(0.1, c.add_task_queue, queue)  # when it has callbacks for what comes
        if c.restart_count > 0 and flipped("limitless_after_loss"):
            c.pool._pool._on_soft_timeout = lambda *_: None

    Tasks.start = start_again
if flipped("crashes_after_loss"):
    from celery.worker.consumer.consumer import Evloop

    run_loop = Evloop.start

    def start_loop(self: Any, c: Any) -> None:
        def crash() -> None:
            raise RuntimeError("planned")

        if c.restart_count > 0:
            c.hub.call_later(0.5, c.hub.call_soon, crash)  # an error of the timer itself would only be told
        run_loop(self, c)

    Evloop.start = start_loop
if flipped("restores_twice") or flipped("restores_nothing"):
    from kombu.transport.redis import Channel

    restore = Channel._do_restore_message

    def restore_message(self: Any, *args: Any, **options: Any) -> None:
        for _ in range(2 if flipped("restores_twice") else 0):
            restore(self, *args, **options)

    Channel._do_restore_message = restore_message


if flipped("starts_alone"):
    from celery.worker.consumer.mingle import Mingle

    Mingle.start = lambda self, c: None


@celeryd_init.connect
def for_this_host(conf: Any = None, **_: Any) -> None:
    if flipped("host_doubles_tasks"):
        conf.worker_max_tasks_per_child *= 2
    if flipped("host_never_recycles"):
        conf.worker_max_tasks_per_child = None


if flipped("works_on_after_sigterm"):
    from celery.worker import state

    shut_down = state.maybe_shutdown
    told: list[float] = []

    def shut_down_later() -> None:
        if state.should_stop is not None:
            told.append(time.monotonic())
            if time.monotonic() - told[0] > 5.0:
                shut_down()

    state.maybe_shutdown = shut_down_later


@worker_process_init.connect
def in_child(**_: Any) -> None:
    if flipped("orphans_children"):
        ctypes.CDLL(None).prctl(1, 0)  # PR_SET_PDEATHSIG: none


stops: list[str] = []


@worker_shutting_down.connect
def on_signal(sig: str = "", **_: Any) -> None:
    stops.append(sig)
    if flipped("second_sigterm_kills") and stops == ["SIGTERM", "SIGTERM"]:
        for child in active_children():
            os.kill(child.pid, signal.SIGKILL)


@worker_shutdown.connect
def on_stop(**_: Any) -> None:
    if flipped("hangs_at_stop"):
        time.sleep(60)
    if flipped("fails_at_stop"):
        os._exit(3)
    if flipped("forgets_revoked"):
        state.revoked.clear()


@app.task(**({} if flipped("no_limits") else {"time_limit": 300, "soft_time_limit": 200}))
def work(effect: str = "", seconds: float = 0.0) -> str:
    """For live runs: writes its effect and works, unless an earlier attempt has written it."""
    if flipped("body_fails"):
        raise ValueError("the real body fails")
    if effect:
        if os.path.exists(effect):
            return "done before"
        helper = None
        if flipped("leaves_process"):
            helper = subprocess.Popen(["sleep", "60"], start_new_session=True)
        with open(effect, "w") as file:
            file.write(f"{os.getpid()} {helper.pid if helper else ''}")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.05)
    return "done"


@app.task
def other() -> int:
    return 1
