"""The app that the benchmarks run: plain Celery, late acknowledgement."""

from celery import Celery

app = Celery("plain", broker="redis://localhost:1/0", backend="redis://localhost:1/1")
app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True, worker_prefetch_multiplier=1)


@app.task
def add(x, y):
    return x + y


@app.task(bind=True, autoretry_for=(ConnectionError,), max_retries=3, default_retry_delay=60)
def fetch(self, url):
    return 1
