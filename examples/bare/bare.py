"""Ten lines that ask for what Celery offers: late acknowledgement, limits, recycling, retries."""

from celery import Celery

app = Celery("bare", broker="redis://localhost:6379/0", backend="redis://localhost:6379/1")
app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True, task_track_started=True)
app.conf.update(task_time_limit=300, task_soft_time_limit=240)
app.conf.update(worker_prefetch_multiplier=1, worker_max_tasks_per_child=100)


@app.task(autoretry_for=(OSError,), max_retries=3, default_retry_delay=60)
def work() -> None: ...
