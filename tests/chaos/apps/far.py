"""An app whose workers run elsewhere; ASSAY_TEST_FLIP=early makes it lose what a killed worker had."""

import os

from celery import Celery

FLIPS = set(filter(None, os.environ.get("ASSAY_TEST_FLIP", "").split(",")))
app = Celery("far", broker="redis://localhost:6379/0", backend="redis://localhost:6379/1")
app.conf.update(
    task_acks_late="early" not in FLIPS,
    task_reject_on_worker_lost="early" not in FLIPS,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
)


@app.task
def charge() -> None:
    """Its body is the run's."""
