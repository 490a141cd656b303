"""The rules, one topic a file. Where a rule is about what Celery does, it says where in its sources."""
