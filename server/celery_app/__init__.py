"""AutoTest's Celery app: `celery -A celery_app worker` inside `server/`."""

from celery_app.celery import app

celery = app

__all__ = ["app", "celery"]
