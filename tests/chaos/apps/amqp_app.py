"""An app on RabbitMQ that waits for the broker's word on what it publishes. ASSAY_TEST_FLIP=unconfirmed: it does not.

With `native` its queue is a quorum queue of a topic exchange: what waits for its time does so in RabbitMQ itself.
"""

import os

from celery import Celery

FLIPS = os.environ.get("ASSAY_TEST_FLIP", "").split(",")
app = Celery("amqp_app", broker="amqp://guest@localhost//", backend="redis://localhost/1")
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    broker_transport_options={"confirm_publish": "unconfirmed" not in FLIPS},
)
if "native" in FLIPS:
    app.conf.update(task_default_queue_type="quorum", task_default_exchange_type="topic", worker_prefetch_multiplier=1)


@app.task(autoretry_for=(ConnectionError,), max_retries=2)
def work() -> None: ...
