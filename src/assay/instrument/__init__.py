"""Where the recorder looks into Celery, kombu and billiard: signals where there are any, wrapped methods elsewhere.

Installed once in the worker's main process before it starts; the pool's children inherit it by fork. Nothing of the
app's own behaviour changes: each wrapper calls what it wraps with the arguments that it got. Checked against Celery 5.4
to 5.7; every place that is wrapped is asserted by a test for each of them.
"""

from celery import Celery

from assay.instrument.connection import record_connection
from assay.instrument.errbacks import record_errbacks
from assay.instrument.hooks import record_hooks
from assay.instrument.messages import record_messages
from assay.instrument.pool import record_pool
from assay.instrument.requests import record_requests
from assay.instrument.restoring import record_restoring
from assay.instrument.results import record_results
from assay.instrument.signals import connect
from assay.recorder import Recorder


def install(app: Celery, recorder: Recorder) -> None:
    """Record everything that this worker does from now on."""
    connect(recorder)
    record_messages(app, recorder)
    record_requests(recorder)
    record_pool(recorder)
    record_connection(recorder)
    record_restoring(recorder)
    record_hooks(app, recorder)
    record_errbacks(recorder)
    record_results(type(app.backend), recorder)
    for task in app.tasks.values():
        record_results(type(task.backend), recorder)
