"""Which release of Celery each of its newer settings came with. Data only."""

#: settings that an older release stores and does not read: celery/app/defaults.py of each, compared
SINCE = {
    "5.5": (
        "broker_native_delayed_delivery_queue_type",
        "database_create_tables_at_setup",
        "task_default_queue_type",
        "worker_detect_quorum_queues",
        "worker_enable_soft_shutdown_on_idle",
        "worker_soft_shutdown_timeout",
    ),
    "5.6": (
        "control_queue_durable",
        "control_queue_exclusive",
        "event_queue_durable",
        "event_queue_exclusive",
        "task_create_missing_queue_exchange_type",
        "task_create_missing_queue_type",
        "worker_disable_prefetch",
        "worker_eta_task_limit",
    ),
    "5.7": (
        "beat_enable_remote_control",
        "beat_remote_control_max_tick_age",
        "broker_pool_acquire_timeout",
        "database_engine_callback",
        "result_chord_expires",
        "result_failure_expires",
        "task_acks_on_failure",
        "task_acks_on_timeout",
        "task_repr_maxlevels",
        "task_retry_on_worker_lost",
        "worker_log_datefmt",
        "worker_pool_start_method",
        "worker_task_log_datefmt",
    ),
}
