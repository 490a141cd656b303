"""The settings of the configuration note as they were written, on plain Celery."""

from celery import Celery

app = Celery("note")
app.conf.update(
    broker_url="redis://localhost:6379/0",
    result_backend="redis://localhost:6379/1",
    task_routes={
        "note.execute_python_script": {"queue": "script_execution"},
        "note.execute_dynamic_script_task": {"queue": "dynamic_script"},
    },
    task_default_retry_delay=60,
    task_max_retries=3,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=50,
    worker_pool_restarts=True,
    task_time_limit=600,
    worker_send_task_events=True,
    task_send_sent_event=True,
    task_track_started=True,
)


@app.task
def execute_python_script(path: str) -> int:
    return 1


@app.task
def execute_dynamic_script_task(template: str) -> int:
    return 1
