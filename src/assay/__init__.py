"""Assay proves what a Celery configuration really does when workers die."""

from assay.contract.required import requires

__all__ = ["requires"]
