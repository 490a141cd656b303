"""Settings that a pool ignores without a word (measured with Celery 5.7: no error, no warning, no effect)."""

PROCESSES_ONLY = (
    "task_time_limit",
    "task_soft_time_limit",
    "worker_max_tasks_per_child",
    "worker_max_memory_per_child",
    "worker_pool_restarts",
)


def ignored_by(pool: str) -> tuple[str, ...]:
    """`pool` as on the command line or as its module is named."""
    return () if pool in ("prefork", "processes") else PROCESSES_ONLY
