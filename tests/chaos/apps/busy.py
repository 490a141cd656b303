"""The twin, in a worker that has a thread of its own which never lets go of the interpreter for long."""

import threading
from typing import Any

from celery import signals
from twin import app

__all__ = ["app"]


def _reckon() -> None:
    while True:
        sum(range(20_000))


@signals.worker_ready.connect(weak=False)
def begin(**_: Any) -> None:
    threading.Thread(target=_reckon, daemon=True).start()
