"""The configuration note as written, in AutoTest: stands in for server/celery_app/celery.py."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "autotest.settings")
from celery import Celery

REDIS_URL = os.environ.get("REDIS_URL", "redis://localhost:6379/0")
CELERY_BACKEND = os.environ.get("CELERY_BACKEND", "django-db")
app = Celery("celery_app")
app.conf.update(
    broker_url=REDIS_URL,
    result_backend=CELERY_BACKEND,
    include=["myapp.views.celery_views"],
    task_routes={
        "myapp.views.celery_views.execute_python_script": {"queue": "script_execution"},
        "myapp.views.celery_views.execute_dynamic_script_task": {"queue": "dynamic_script"},
    },
    task_default_retry_delay=60,
    task_max_retries=3,
    task_reject_on_worker_lost=True,
    task_time_limit=600,
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=50,
    worker_pool_restarts=True,
    worker_send_task_events=True,
    task_send_sent_event=True,
    task_track_started=True,
)
