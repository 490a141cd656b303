"""Plain Celery with late acknowledgement and results; each body appends a byte, so that the end of a round is seen."""

import os

from celery import Celery

app = Celery("counting", broker="redis://localhost:1/0", backend="redis://localhost:1/1")
app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True, worker_prefetch_multiplier=4)
fd = os.open(os.environ["BENCH_COUNT"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


@app.task
def count():
    os.write(fd, b".")
