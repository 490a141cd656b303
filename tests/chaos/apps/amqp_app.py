"""An app for RabbitMQ that waits for the broker's word on what it publishes; not so by ASSAY_TEST_FLIP=unconfirmed."""

import os

from celery import Celery

app = Celery("amqp_app", broker="amqp://guest@localhost//", backend="redis://localhost/1")
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    broker_transport_options={"confirm_publish": os.environ.get("ASSAY_TEST_FLIP") != "unconfirmed"},
)


@app.task
def work() -> None: ...
