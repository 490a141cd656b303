"""What a worker says when it is ready and when it stops: what is in force, not what is merely configured."""

from typing import Any

from celery import signals

from celery_app.ignored import ignored_by

LINE = "[AutoTest] {}"


def connect() -> None:
    signals.worker_ready.connect(ready, dispatch_uid="autotest-ready")
    signals.worker_shutting_down.connect(stopping, dispatch_uid="autotest-stopping")
    signals.worker_shutdown.connect(stopped, dispatch_uid="autotest-stopped")


def ready(sender: Any, **_: Any) -> None:
    """Printed once the consumer listens; plain ASCII, since a worker's stdout may be."""
    conf, pool = sender.app.conf, type(sender.pool).__module__.rpartition(".")[2]
    queues = sorted(str(queue.name) for queue in sender.task_consumer.queues)
    _say(f"worker {sender.hostname} is ready: pool {pool}, consuming {', '.join(queues)}")
    _say(
        f"acks_late={conf.task_acks_late} soft/hard limit={conf.task_soft_time_limit}/{conf.task_time_limit} s "
        f"prefetch={conf.worker_prefetch_multiplier} recycled after {conf.worker_max_tasks_per_child} tasks"
    )
    for setting in ignored_by(pool):
        _say(f"WARNING: pool {pool} ignores {setting}")


def stopping(sender: Any = None, sig: str = "", how: str = "", **_: Any) -> None:
    _say(f"worker {sender} is stopping ({how or 'shutdown'} by {sig or 'request'})")


def stopped(sender: Any = None, **_: Any) -> None:
    _say(f"worker {getattr(sender, 'hostname', sender)} has stopped")


def _say(text: str) -> None:
    print(LINE.format(text), flush=True)
