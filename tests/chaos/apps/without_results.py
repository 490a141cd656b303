"""Plain Celery without a result backend."""

from celery import Celery

app = Celery("without_results", broker="redis://localhost/0")


@app.task
def work() -> None: ...
