"""Plain Celery as most projects begin: nothing is set but the addresses."""

from celery import Celery

app = Celery("plain", broker="redis://localhost:6379/0", backend="redis://localhost:6379/1")


@app.task
def add(x: int, y: int) -> int:
    return x + y
