"""Assay proves what a Celery configuration really does when workers die."""
