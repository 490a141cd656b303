"""What each setting of Celery's that is about reliability claims, in words. Data only.

A setting that is not here makes no claim about what becomes of a task: an address, a format, a colour.
"""

PROMISES = {
    "broker_connection_max_retries": "a worker goes on trying for so long when its broker is away",
    "broker_connection_retry": "a worker that loses its connection comes back by itself",
    "broker_connection_retry_on_startup": "a worker waits for a broker that is away when it starts",
    "broker_heartbeat": "a connection on which nothing arrives any more is noticed",
    "broker_transport_options": "how long a lost worker's messages are held back, and how a dead connection is noticed",
    "result_backend": "what became of a task can be read afterwards",
    "result_backend_always_retry": "a result is stored when its backend was away for a while",
    "result_backend_max_retries": "a result that could not be stored is tried again so often",
    "result_backend_max_sleep_between_retries_ms": "storing a result is tried for a while, not for a moment",
    "result_expires": "results are kept for so long",
    "task_acks_late": "a task whose worker is lost runs again",
    "task_acks_on_failure": "a task that failed is not run again",
    "task_acks_on_failure_or_timeout": "a task that failed or was over its limit is not run again",
    "task_acks_on_timeout": "a task that was over its limit is not run again",
    "task_annotations": "these options are in force for these tasks",
    "task_create_missing_queues": "a queue that is missing is made, or is an error",
    "task_default_queue": "what is not routed goes to this queue",
    "task_ignore_result": "no result is stored",
    "task_queues": "these queues are consumed by a worker without -Q",
    "task_reject_on_worker_lost": "a task whose worker is lost goes back to its queue",
    "task_retry_on_worker_lost": "a task whose worker is lost is retried, and not for ever",
    "task_routes": "a task goes to its own queue, and nowhere else",
    "task_send_sent_event": "each publication is told to monitors",
    "task_soft_time_limit": "a body is told when it has taken so long, and can clean up",
    "task_time_limit": "a task is stopped when it has taken so long",
    "task_track_started": "it can be read that a task has begun",
    "worker_cancel_long_running_tasks_on_connection_loss": "what would be given back is stopped when the connection is",
    "worker_deduplicate_successful_tasks": "what has succeeded is not run a second time",
    "worker_disable_prefetch": "no message is taken while all slots are busy",
    "worker_max_memory_per_child": "a child that takes so much memory is replaced",
    "worker_max_tasks_per_child": "a child is replaced after so many tasks",
    "worker_pool": "what runs the tasks",
    "worker_pool_restarts": "the pool can be restarted by remote control",
    "worker_prefetch_multiplier": "a slot takes no more messages ahead",
    "worker_send_task_events": "what becomes of tasks is told to monitors",
    "worker_soft_shutdown_timeout": "tasks have so long to end when a worker is told to stop",
}

#: whose promise is of both its values; any other switch that is off promises nothing
EITHER_WAY = ("task_create_missing_queues",)

#: what is in force of these where nothing is given, as it is told; of the others nothing, or what means nothing
DEFAULTS = {
    "broker_connection_max_retries": "100",
    "broker_connection_retry": "True",
    "broker_connection_retry_on_startup": "True",
    "broker_heartbeat": "120",
    "result_backend_max_retries": "inf",
    "result_backend_max_sleep_between_retries_ms": "10000",
    "task_acks_on_failure_or_timeout": "True",
    "task_create_missing_queues": "True",
    "task_default_queue": "celery",
    "worker_pool": "prefork",
    "worker_prefetch_multiplier": "4",
}

#: of a task, what has no setting of its name with task_ before it
OPTIONS = {
    "autoretry_for": "a task that ends in one of these errors is tried again",
    "default_retry_delay": "a task is tried again after so long",
    "max_retries": "a task is tried again so often, and no more",
    "queue": PROMISES["task_routes"],
    "retry_backoff": "each retry waits longer than the one before",
}


def promised(name: str) -> str:
    """By a setting, or by an option of a task; "" where that is nothing."""
    return PROMISES.get(name) or PROMISES.get(f"task_{name}") or OPTIONS.get(name, "")
