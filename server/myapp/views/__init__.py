"""Celery's tasks live in `celery_views`, where the first version of the service had them; pages are in `myapp.web`."""
